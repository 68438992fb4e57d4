// Shows the API's documentation with Swagger UI, from the platform's own description of its API.
window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
  persistAuthorization: false,
});
