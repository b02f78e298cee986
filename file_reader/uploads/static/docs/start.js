SwaggerUIBundle({
  dom_id: "#docs",
  url: "/api/schema/?format=json",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
