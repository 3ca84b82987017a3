export default function ({ data }) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser, and needs HTTPS
  document.cookie = `${data.cookie}; samesite=lax${secure}`;
}
