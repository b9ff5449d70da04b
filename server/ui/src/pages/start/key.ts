/** A write key is shown once; so that a reload keeps the snippets, this tab keeps it, and only this tab. */
const nameOf = (project: number) => `write key ${project}`;

export const keptKey = (project: number): string | null => sessionStorage.getItem(nameOf(project));

export const keepKey = (project: number, key: string) => sessionStorage.setItem(nameOf(project), key);
