/** What is wrong with a template, as a sentence for the one who writes it; compile.ts makes a refusal of it. */
export class TemplateFault extends Error {}
