package scim

import (
	"net/http"
	"strings"
)

// providerConfig is RFC 7643 5: what of the protocol is there.
func (s *Server) providerConfig(c *call) (*answer, *Error) {
	if err := c.noFilter(); err != nil {
		return nil, err
	}
	yes, no := resource{"supported": true}, resource{"supported": false}
	return &answer{status: http.StatusOK, body: resource{
		"schemas":        []string{schemaConfig},
		"patch":          yes,
		"bulk":           resource{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         resource{"supported": true, "maxResults": s.cfg.MaxResults},
		"changePassword": no,
		"sort":           no,
		"etag":           no,
		"authenticationSchemes": []resource{{
			"type":        "oauthbearertoken",
			"name":        "Bearer token",
			"description": "A long-lived token in the Authorization header (RFC 6750)",
			"specUri":     "https://www.rfc-editor.org/info/rfc6750",
			"primary":     true,
		}},
		"meta": resource{"resourceType": "ServiceProviderConfig", "location": s.base + "/ServiceProviderConfig"},
	}}, nil
}

// resourceTypes is RFC 7643 6.
func (s *Server) resourceTypes(c *call) (*answer, *Error) {
	kind := func(name, endpoint, schema, about string) resource {
		return with(s.described(schemaType, "ResourceType", name, name, about), "endpoint", endpoint, "schema", schema)
	}
	return c.discover("resource type",
		kind("User", "/Users", schemaUser, "A person of the workforce"),
		kind("Group", "/Groups", schemaGroup, "Users that permissions are given to together"))
}

// schemas is RFC 7643 7: the attributes that are kept, and no others.
func (s *Server) schemas(c *call) (*answer, *Error) {
	schema := func(id, name, about string, attributes ...resource) resource {
		return with(s.described(schemaSchema, "Schema", id, name, about), "attributes", attributes)
	}
	return c.discover("schema",
		schema(schemaUser, "User", "A person of the workforce",
			with(attr("userName", "string", "What the SAML NameID of the user is, byte for byte"), "required", true, "uniqueness", "server"),
			with(attr("externalId", "string", "What the client calls the user"), "caseExact", true, "uniqueness", "server"),
			attr("displayName", "string", "What pages call the user"),
			with(attr("name", "complex", "The parts of the user's name"), "subAttributes", []resource{
				attr("givenName", "string", "The given name"), attr("familyName", "string", "The family name")}),
			with(attr("emails", "complex", "One address, the primary one"), "multiValued", true, "subAttributes", []resource{
				attr("value", "string", "The address"),
				with(attr("type", "string", "Always work"), "mutability", "readOnly"),
				with(attr("primary", "boolean", "Always true"), "mutability", "readOnly")}),
			attr("active", "boolean", "Whether the user may sign in and has access")),
		schema(schemaGroup, "Group", "Users that permissions are given to together",
			with(attr("displayName", "string", "The name of the group"), "required", true, "uniqueness", "server"),
			with(attr("externalId", "string", "What the client calls the group"), "caseExact", true, "uniqueness", "server"),
			with(attr("members", "complex", "The users in the group"), "multiValued", true, "subAttributes", []resource{
				with(attr("value", "string", "The id of a user"), "caseExact", true, "mutability", "immutable"),
				with(attr("$ref", "reference", "Where the user is"), "referenceTypes", []string{"User"}, "mutability", "readOnly"),
				with(attr("type", "string", "Always User"), "mutability", "readOnly")})))
}

// described is what resource types and schemas have in common.
func (s *Server) described(schema, kind, id, name, about string) resource {
	return resource{
		"schemas": []string{schema}, "id": id, "name": name, "description": about,
		"meta": resource{"resourceType": kind, "location": s.location(kind+"s", id)},
	}
}

// attr describes an attribute with the values that RFC 7643 2.2 has for what
// isn't said, but in full.
func attr(name, kind, about string) resource {
	return resource{
		"name": name, "type": kind, "description": about, "multiValued": false, "required": false,
		"caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "none",
	}
}

func with(r resource, pairs ...any) resource {
	for i := 0; i < len(pairs); i += 2 {
		r[pairs[i].(string)] = pairs[i+1]
	}
	return r
}

// discover answers with one of all, by its ID, or with the list.
func (c *call) discover(what string, all ...resource) (*answer, *Error) {
	if err := c.noFilter(); err != nil {
		return nil, err
	}
	if c.id == "" {
		return list(len(all), page{1, len(all)}, func(i int) resource { return all[i] }), nil
	}
	for _, r := range all {
		if r["id"] == c.id {
			return &answer{status: http.StatusOK, body: r}, nil
		}
	}
	return nil, refuse(ReasonNotFound, what, "the ID of one", c.id)
}

// noFilter is RFC 7644 4: a filter here is forbidden, not ignored. An empty one
// is none, as in a list.
func (c *call) noFilter() *Error {
	if strings.Trim(c.query.Get("filter"), " ") != "" {
		return refuse(ReasonForbidden, "filter", "none on this endpoint", "")
	}
	return nil
}
