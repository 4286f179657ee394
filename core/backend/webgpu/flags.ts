/** The specification's bits. Where a program brings its own WebGPU, there are no globals that have them. */

/** `GPUBufferUsage` */
export const BUFFER_USAGE = { MAP_READ: 0x01, COPY_SRC: 0x04, COPY_DST: 0x08, UNIFORM: 0x40, STORAGE: 0x80 } as const;

/** `GPUMapMode` */
export const MAP_MODE = { READ: 0x01 } as const;

/** `GPUShaderStage` */
export const SHADER_STAGE = { COMPUTE: 0x04 } as const;
