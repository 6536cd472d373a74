package scim

import (
	_ "embed"
	"encoding/json"
	"net/http"
)

// discoveryJSON holds the responses of the three discovery endpoints, without what depends on the Config and
// without the defaults of RFC 7643 2.2.
//
//go:embed discovery.json
var discoveryJSON []byte

// discovery returns a new copy of the responses.
func (s *Server) discovery() (d struct {
	ServiceProviderConfig  resource
	ResourceTypes, Schemas []resource
}) {
	if err := json.Unmarshal(discoveryJSON, &d); err != nil {
		panic("scim: discovery.json: " + err.Error()) // it is embedded
	}
	d.ServiceProviderConfig["filter"].(resource)["maxResults"] = s.cfg.MaxResults
	d.ServiceProviderConfig["meta"] = resource{
		"resourceType": "ServiceProviderConfig", "location": s.base + "/ServiceProviderConfig",
	}
	describe := func(list []resource, schema, kind string) {
		for _, r := range list {
			r["schemas"] = []string{schema}
			r["meta"] = resource{"resourceType": kind, "location": s.location(kind+"s", r["id"].(string))}
			addDefaults(r["attributes"])
		}
	}
	describe(d.ResourceTypes, schemaType, "ResourceType")
	describe(d.Schemas, schemaSchema, "Schema")
	return d
}

// addDefaults adds the default characteristics of RFC 7643 2.2 to attributes without them.
func addDefaults(attributes any) {
	list, _ := attributes.([]any)
	for _, one := range list {
		a := one.(resource)
		for name, value := range map[string]any{
			"multiValued": false, "required": false, "caseExact": false,
			"mutability": "readWrite", "returned": "default", "uniqueness": "none",
		} {
			if _, said := a[name]; !said {
				a[name] = value
			}
		}
		addDefaults(a["subAttributes"])
	}
}

// providerConfig returns the ServiceProviderConfig (RFC 7643 5): the supported parts of the protocol.
func (s *Server) providerConfig(c *call) (*answer, *Error) {
	return &answer{status: http.StatusOK, body: s.discovery().ServiceProviderConfig}, c.noFilter()
}

// resourceTypes returns the ResourceTypes (RFC 7643 6).
func (s *Server) resourceTypes(c *call) (*answer, *Error) {
	return c.discover("resource type", s.discovery().ResourceTypes)
}

// schemas returns the Schemas (RFC 7643 7), with only the attributes that are kept.
func (s *Server) schemas(c *call) (*answer, *Error) {
	return c.discover("schema", s.discovery().Schemas)
}

// discover answers with the resource that has the ID, or with the list of all.
func (c *call) discover(what string, all []resource) (*answer, *Error) {
	if err := c.noFilter(); err != nil {
		return nil, err
	}
	if c.id == "" {
		return list(all, len(all), page{1, len(all)}), nil
	}
	for _, r := range all {
		if r["id"] == c.id {
			return &answer{status: http.StatusOK, body: r}, nil
		}
	}
	return nil, refuse(ReasonNotFound, what, "the ID of a "+what, c.id)
}

// noFilter refuses a filter, as RFC 7644 4 requires for these endpoints.
func (c *call) noFilter() *Error {
	if c.filter() != "" {
		return refuse(ReasonForbidden, "filter", "none on this endpoint", "")
	}
	return nil
}
