/** mjml 5 ships no types of its own; this is the part that we call. */
declare module 'mjml' {
  export default function mjml2html(
    source: string,
    options: { validationLevel: 'strict' | 'soft' | 'skip'; minify?: boolean; keepComments?: boolean },
  ): Promise<{ html: string; errors: { line: number; message: string; formattedMessage: string }[] }>
}
