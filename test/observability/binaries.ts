/** Where the real programs are; both build from their public sources (Loki 3.7.6, Tempo 3.0.3). */
export const lokiBinary = process.env.LOKI_BIN || undefined;
export const tempoBinary = process.env.TEMPO_BIN || undefined;

export const missing = (variable: 'LOKI_BIN' | 'TEMPO_BIN'): string => `${variable} names no binary of the program`;
