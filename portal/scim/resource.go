package scim

import (
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/portal/center"
)

// The URNs of RFC 7643 8.7 and RFC 7644 3.
const (
	schemaUser   = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaGroup  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	schemaConfig = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	schemaType   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaSchema = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	schemaPatch  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	schemaList   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	schemaError  = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// A resource is what a client reads.
type resource = map[string]any

func (s *ServiceProvider) location(endpoint, id string) string {
	return s.base + "/" + endpoint + "/" + url.PathEscape(id)
}

// user says what is kept of a user, and no more: meta has no times, as the
// instance doesn't keep them.
func (s *ServiceProvider) user(u center.User, pick selection) resource {
	r := resource{
		"schemas":  []string{schemaUser},
		"id":       u.ID,
		"userName": u.UserName,
		"active":   u.Active,
		"meta":     resource{"resourceType": "User", "location": s.location("Users", u.ID)},
	}
	put(r, "externalId", u.ExternalID)
	put(r, "displayName", u.DisplayName)
	name := resource{}
	put(name, "givenName", u.GivenName)
	put(name, "familyName", u.FamilyName)
	if len(name) > 0 {
		r["name"] = name
	}
	if u.Email != "" {
		r["emails"] = []resource{{"value": u.Email, "type": "work", "primary": true}}
	}
	return pick.of(r)
}

func (s *ServiceProvider) group(g center.Group, pick selection) resource {
	r := resource{
		"schemas":     []string{schemaGroup},
		"id":          g.ID,
		"displayName": g.Name,
		"meta":        resource{"resourceType": "Group", "location": s.location("Groups", g.ID)},
	}
	put(r, "externalId", g.ExternalID)
	if pick.wants("members") { // there may be thousands
		list := make([]resource, len(g.Members))
		for i, id := range g.Members {
			list[i] = resource{"value": id, "$ref": s.location("Users", id), "type": "User"}
		}
		r["members"] = list
	}
	return pick.of(r)
}

func put(r resource, name, value string) {
	if value != "" {
		r[name] = value
	}
}

// A selection is what a client wants to see of each resource (RFC 7644 3.9).
type selection struct{ only, except map[string]bool }

// newSelection reads the two parameters. Names that nothing has do nothing.
func newSelection(only, except string) selection {
	return selection{names(only), names(except)}
}

func names(list string) map[string]bool {
	if list == "" {
		return nil
	}
	out := map[string]bool{}
	for n := range strings.SplitSeq(list, ",") {
		n = strings.ToLower(strings.TrimSpace(n))
		for _, schema := range []string{schemaUser, schemaGroup} {
			n = strings.TrimPrefix(n, strings.ToLower(schema)+":")
		}
		out[n] = true
		if top, _, found := strings.Cut(n, "."); found {
			out[top+"."] = true // some part of it
		}
	}
	return out
}

// wants says whether any of an attribute will be shown. id and schemas always
// are (RFC 7643 7, returned "always").
func (p selection) wants(name string) bool {
	name = strings.ToLower(name)
	if name == "id" || name == "schemas" {
		return true
	}
	return !p.except[name] && (p.only == nil || p.only[name] || p.only[name+"."])
}

// of takes out of r what isn't wanted.
func (p selection) of(r resource) resource {
	if p.only == nil && p.except == nil {
		return r
	}
	for name, v := range r {
		if !p.wants(name) {
			delete(r, name)
			continue
		}
		switch v := v.(type) {
		case resource:
			p.parts(name, v)
		case []resource:
			for _, one := range v {
				p.parts(name, one)
			}
		}
	}
	return r
}

// parts takes sub-attributes that aren't wanted out of a complex value.
func (p selection) parts(name string, v resource) {
	name = strings.ToLower(name)
	for sub := range v {
		full := name + "." + strings.ToLower(sub)
		if p.except[full] || (p.only != nil && !p.only[name] && !p.only[full]) {
			delete(v, sub)
		}
	}
}
