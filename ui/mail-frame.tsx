/**
 * A mail as a mail program would show it. Sandboxed: nothing in it runs, and nothing is loaded from elsewhere. Its style sheets carry the nonce of
 * this page, because a frame without an address of its own inherits the page's content policy.
 */
export function MailFrame(props: { html: string; height: number; width?: number; links?: boolean }) {
  const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
  const html = props.html
    .replaceAll(/<style\b/gi, `<style nonce="${nonce}"`)
    .replace(
      '<head>',
      props.links === true ? '<head><base target="_blank"><meta name="referrer" content="no-referrer">' : '<head>',
    )
  return (
    <iframe
      title="The mail"
      className="frame"
      style={{ height: props.height, width: props.width ?? '100%', maxWidth: '100%' }}
      // What a link opens is a page like any other: left in the sandbox, the browser would refuse to show it.
      sandbox={props.links === true ? 'allow-popups allow-popups-to-escape-sandbox' : ''}
      srcDoc={html}
    />
  )
}
