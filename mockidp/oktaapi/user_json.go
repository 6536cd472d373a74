package oktaapi

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// statusWords are Okta's words for a UserStatus.
var statusWords = map[mockidp.UserStatus]string{mockidp.Active: "ACTIVE", mockidp.LockedOut: "LOCKED_OUT", mockidp.Suspended: "SUSPENDED", mockidp.Deprovisioned: "DEPROVISIONED", mockidp.Staged: "STAGED"}

// userBody is a user as Okta's clients send one.
type userBody struct {
	Profile     map[string]any `json:"profile"`
	Credentials *struct {
		Password *struct {
			Value string `json:"value"`
		} `json:"password"`
	} `json:"credentials"`
	GroupIDs []string `json:"groupIds"`
}

// into writes the profile and the password into u. Whole says that what the
// profile doesn't have is gone (PUT); else it stays (POST). The login is for
// the caller to change.
func (b *userBody) into(u *mockidp.User, whole bool) error {
	if whole {
		u.FirstName, u.LastName, u.Email, u.Attributes = "", "", "", nil
	}
	if u.Attributes == nil {
		u.Attributes = map[string][]string{}
	}
	for name, v := range b.Profile {
		values, err := profileValues(v)
		if err != nil {
			return invalid(cut(name), err.Error())
		}
		first := ""
		if len(values) > 0 {
			first = values[0]
		}
		switch name {
		case "login":
		case "firstName":
			u.FirstName = first
		case "lastName":
			u.LastName = first
		case "email":
			u.Email = first
		default:
			u.Attributes[name] = values
			if len(values) == 0 {
				delete(u.Attributes, name)
			}
		}
	}
	if b.Credentials != nil && b.Credentials.Password != nil {
		u.Password = b.Credentials.Password.Value
	}
	return nil
}

// login is the profile's, or "".
func (b *userBody) login() string {
	l, _ := b.Profile["login"].(string)
	return l
}

// profileValues flattens what JSON can hold to the texts of an attribute.
func profileValues(v any) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		if v == "" {
			return nil, nil
		}
		return []string{v}, nil
	case bool:
		return []string{strconv.FormatBool(v)}, nil
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}, nil
	case []any:
		var out []string
		for _, x := range v {
			if _, list := x.([]any); list {
				return nil, fmt.Errorf("a list in a list")
			}
			one, err := profileValues(x)
			if err != nil {
				return nil, err
			}
			out = append(out, one...)
		}
		return out, nil
	}
	return nil, fmt.Errorf("a text, a number, true, false, null or a list of them")
}

func userProfile(u mockidp.User) map[string]any {
	p := map[string]any{"login": u.Login, "email": u.Email, "firstName": u.FirstName, "lastName": u.LastName, "secondEmail": nil, "mobilePhone": nil}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		if vs := u.Attributes[name]; len(vs) == 1 {
			p[name] = vs[0]
		} else {
			p[name] = vs
		}
	}
	return p
}

// userJSON is a user as Okta shows one.
func (s *API) userJSON(c *call, v view, u mockidp.User) map[string]any {
	at, path := v.UserTimes(u.ID), "/api/v1/users/"+u.ID
	links := map[string]any{"self": c.link(path), "groups": c.link(path + "/groups"), "appLinks": c.link(path + "/appLinks")}
	for _, does := range map[mockidp.UserStatus][]string{mockidp.Active: {"suspend", "deactivate"}, mockidp.LockedOut: {"unlock", "deactivate"},
		mockidp.Suspended: {"unsuspend", "deactivate"}, mockidp.Deprovisioned: {"activate"}, mockidp.Staged: {"activate", "deactivate"}}[u.Status] {
		l := c.link(path + "/lifecycle/" + does)
		l["method"] = "POST"
		links[does] = l
	}
	return map[string]any{
		"id": u.ID, "status": statusWords[u.Status], "created": stamp(at.Created), "activated": stampOrNull(at.Activated),
		"statusChanged": stampOrNull(at.StatusChanged), "lastLogin": stampOrNull(s.idp.LastLogin(u.ID)), "lastUpdated": stamp(at.Updated),
		"passwordChanged": stamp(at.PasswordChanged), "type": map[string]any{"id": "otymockidpdefault0000"}, "profile": userProfile(u),
		"credentials": map[string]any{"password": map[string]any{}, "provider": map[string]any{"type": "OKTA", "name": "OKTA"}}, "_links": links,
	}
}

// stamp is a time as Okta writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// stampOrNull is null for what has never happened.
func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}
