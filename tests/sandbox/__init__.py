"""A local Gravitee on loopback: APIM and AM, management and gateway, and an unsecured MCP server. See README.md."""
