import { PAD } from "./pictures.ts";

/** The pen's width, about that of what the shipped models were trained on. */
const PEN = 22;

/** Pixels that an arrow key moves the pen. */
const STRIDE = 10;

/**
 * A canvas that is drawn on, by pointer, or by keyboard: arrows move the pen, space puts it down and lifts it.
 *
 * @param changed is called after each stroke
 */
export class Pad {
  readonly #context: CanvasRenderingContext2D;
  #down = false;
  #key: { x: number; y: number; down: boolean } = { x: PAD / 2, y: PAD / 2, down: false };

  constructor(readonly canvas: HTMLCanvasElement, readonly pen: HTMLElement, private readonly changed: () => void) {
    [canvas.width, canvas.height] = [PAD, PAD];
    this.#context = canvas.getContext("2d", { willReadFrequently: true })!;
    this.clear();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#down = true;
      this.#stroke(this.#placeOf(event), this.#placeOf(event));
    });
    let from: readonly [number, number] | null = null;
    canvas.addEventListener("pointermove", (event) => {
      const to = this.#placeOf(event);
      if (this.#down) this.#stroke(from ?? to, to);
      from = this.#down ? to : null;
    });
    const lift = () => {
      if (this.#down) this.changed();
      this.#down = false;
      from = null;
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("keydown", (event) => this.#press(event));
    canvas.addEventListener("focus", () => this.#showPen());
  }

  /** Makes it black. */
  clear(): void {
    this.#context.fillStyle = "black";
    this.#context.fillRect(0, 0, PAD, PAD);
  }

  #placeOf({ offsetX, offsetY }: PointerEvent): readonly [number, number] {
    const { clientWidth, clientHeight } = this.canvas;
    return [offsetX * PAD / clientWidth, offsetY * PAD / clientHeight];
  }

  #stroke([fromX, fromY]: readonly [number, number], [toX, toY]: readonly [number, number]): void {
    const context = this.#context;
    [context.strokeStyle, context.lineWidth, context.lineCap] = ["white", PEN, "round"];
    context.beginPath();
    context.moveTo(fromX, fromY);
    // A line without a length is not drawn at all: a dot has a little one.
    context.lineTo(toX + 0.01, toY);
    context.stroke();
  }

  #press(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-STRIDE, 0],
      ArrowRight: [STRIDE, 0],
      ArrowUp: [0, -STRIDE],
      ArrowDown: [0, STRIDE],
      " ": [0, 0],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const { x, y, down } = this.#key;
    const within = (place: number) => Math.min(Math.max(place, 0), PAD);
    const next = { x: within(x + move[0]), y: within(y + move[1]), down: event.key === " " ? !down : down };
    if (next.down) {
      this.#stroke([x, y], [next.x, next.y]);
      this.changed();
    }
    this.#key = next;
    this.#showPen();
  }

  #showPen(): void {
    const { x, y, down } = this.#key;
    this.pen.style.left = `${100 * x / PAD}%`;
    this.pen.style.top = `${100 * y / PAD}%`;
    this.pen.classList.toggle("down", down);
  }
}
