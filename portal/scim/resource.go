package scim

import (
	"net/url"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

// The URNs of RFC 7643 8.7 and RFC 7644 3.
const (
	schemaUser   = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaGroup  = "urn:ietf:params:scim:schemas:core:2.0:Group"
	schemaType   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaSchema = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	schemaPatch  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	schemaList   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	schemaError  = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// A resource is a JSON object in a response.
type resource = map[string]any

func (s *Server) location(endpoint, id string) string {
	return s.base + "/" + endpoint + "/" + url.PathEscape(id)
}

// meta returns the meta attribute (RFC 7643 3.1). It has only the times that are known.
func (s *Server) meta(kind, id string, known center.Dates) resource {
	r := resource{"resourceType": kind, "location": s.location(kind+"s", id)}
	for name, at := range map[string]time.Time{"created": known.CreatedAt, "lastModified": known.UpdatedAt} {
		if !at.IsZero() {
			r[name] = at.Format(time.RFC3339Nano)
		}
	}
	return r
}

// user returns the kept attributes of a user.
func (s *Server) user(u center.User, pick selection) resource {
	r := resource{
		"schemas":  []string{schemaUser},
		"id":       u.ID,
		"userName": u.UserName,
		"active":   !u.Inactive,
		"meta":     s.meta("User", u.ID, u.Dates),
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

func (s *Server) group(g center.Group, pick selection) resource {
	r := resource{
		"schemas":     []string{schemaGroup},
		"id":          g.ID,
		"displayName": g.Name,
		"meta":        s.meta("Group", g.ID, g.Dates),
	}
	put(r, "externalId", g.ExternalID)
	if pick.wants("members") {
		r["members"] = s.members(g.Members, pick)
	}
	return pick.of(r)
}

// A shownMember is a member in a response. A response may have many thousands of them, and each as a resource would
// take ten times the memory.
type shownMember struct {
	Value string `json:"value,omitempty"`
	Ref   string `json:"$ref,omitempty"`
	Type  string `json:"type,omitempty"`
}

// members returns the selected parts of each member; selection.of doesn't see them.
func (s *Server) members(ids []string, pick selection) []shownMember {
	value, ref := pick.wantsPart("members", "value"), pick.wantsPart("members", "$ref")
	kind := pick.wantsPart("members", "type")
	out := make([]shownMember, len(ids))
	for i, id := range ids {
		if value {
			out[i].Value = id
		}
		if ref {
			out[i].Ref = s.location("Users", id)
		}
		if kind {
			out[i].Type = "User"
		}
	}
	return out
}

func put(r resource, name, value string) {
	if value != "" {
		r[name] = value
	}
}
