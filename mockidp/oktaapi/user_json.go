package oktaapi

import (
	"errors"
	"strconv"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// statusWords holds Okta's words for a UserStatus, and lifecycleLinks the lifecycle operations that its users
// have.
var (
	statusWords = map[mockidp.UserStatus]string{
		mockidp.Active: "ACTIVE", mockidp.LockedOut: "LOCKED_OUT", mockidp.Suspended: "SUSPENDED",
		mockidp.Deprovisioned: "DEPROVISIONED", mockidp.Staged: "STAGED",
	}
	lifecycleLinks = map[mockidp.UserStatus][]string{
		mockidp.Active: {"suspend", "deactivate"}, mockidp.LockedOut: {"unlock", "deactivate"},
		mockidp.Suspended: {"unsuspend", "deactivate"}, mockidp.Deprovisioned: {"activate"},
		mockidp.Staged: {"activate", "deactivate"},
	}
)

// userBody is a user as Okta's clients send one.
type userBody struct {
	Profile     object `json:"profile"`
	Credentials *struct {
		Password *struct {
			Value string `json:"value"`
		} `json:"password"`
	} `json:"credentials"`
	GroupIDs []string `json:"groupIds"`
}

// into writes the profile and the password into u. With whole (PUT), missing attributes are cleared; else (POST) they
// stay. The caller changes the login.
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

// login returns the profile's login, or "".
func (b *userBody) login() string {
	l, _ := b.Profile["login"].(string)
	return l
}

// profileValues converts a JSON value to the values of an attribute.
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
				return nil, errors.New("a list in a list")
			}
			one, err := profileValues(x)
			if err != nil {
				return nil, err
			}
			out = append(out, one...)
		}
		return out, nil
	}
	return nil, errors.New("want a string, a number, true, false, null or a list of them")
}

func userProfile(u mockidp.User) object {
	p := object{"login": u.Login, "email": u.Email, "firstName": u.FirstName, "lastName": u.LastName,
		"secondEmail": nil, "mobilePhone": nil}
	for name, vs := range u.Attributes {
		if len(vs) == 1 {
			p[name] = vs[0]
		} else {
			p[name] = vs
		}
	}
	return p
}

func (c *call) userJSON(u mockidp.User) object {
	at, path := c.UserTimes(u.ID), "/api/v1/users/"+u.ID
	links := object{"self": c.link(path), "groups": c.link(path + "/groups"), "appLinks": c.link(path + "/appLinks")}
	for _, name := range lifecycleLinks[u.Status] {
		l := c.link(path + "/lifecycle/" + name)
		l["method"] = "POST"
		links[name] = l
	}
	return object{
		"id": u.ID, "status": statusWords[u.Status], "created": stamp(at.Created), "activated": stampOrNull(at.Activated),
		"statusChanged": stampOrNull(at.StatusChanged), "lastLogin": stampOrNull(c.idp.LastLogin(u.ID)),
		"lastUpdated": stamp(at.Updated), "passwordChanged": stamp(at.PasswordChanged),
		"type": object{"id": "otymockidpdefault0000"}, "profile": userProfile(u), "_links": links,
		"credentials": object{"password": object{}, "provider": object{"type": "OKTA", "name": "OKTA"}},
	}
}

// stamp formats a time as Okta does. Stamps sort by time.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// stampOrNull is null for the zero time.
func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}
