import type { FoundData } from "./found.ts";
import type { FoundTeacher } from "./teacher.ts";

/**
 * Folders of e-mails under the classes of a teacher, where its names are in those of the folders: easy-ham-1 is ham.
 * The data stay as they are if that is not so for all of them.
 */
export function groupByTeacher(found: FoundData, teacher: FoundTeacher | null): FoundData {
  if (found.use !== "mail" || !teacher || teacher.classes.length < 2) return found;
  const given = found.options.find(({ key }) => key === "classes")!;
  const folders = Object.values(given.value as Record<string, string[]>).flat();
  const classOf = (folder: string) => {
    const words = folder.toLowerCase().split(/[^\p{L}\p{N}]+/u);
    const own = teacher.classes.filter((name) => words.includes(name.toLowerCase()));
    return own.length === 1 ? own[0] : null;
  };
  if (folders.some((folder) => classOf(folder) === null)) return found;
  const byClass = Object.fromEntries(
    teacher.classes.map((name) => [name, folders.filter((folder) => classOf(folder) === name)]),
  );
  if (Object.values(byClass).some((own) => own.length === 0)) return found;
  const why = "the folders whose names have the teacher's class in them: see that they are right";
  return {
    ...found,
    options: found.options.map((entry) => entry === given ? { ...entry, value: byClass, why } : entry),
  };
}
