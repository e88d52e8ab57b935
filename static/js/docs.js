// @ts-nocheck: Swagger UI is loaded by the page and brings no types.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
