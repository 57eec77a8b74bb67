"use strict";

// A file of its own: the page's Content-Security-Policy allows no inline script.
// The address has no slash in front, so that it is found below any path that the page is found below.
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
