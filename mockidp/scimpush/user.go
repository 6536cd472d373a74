package scimpush

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strconv"

	"github.com/meridian-saml/meridian/mockidp"
)

const (
	scimUser  = "urn:ietf:params:scim:schemas:core:2.0:User"
	scimGroup = "urn:ietf:params:scim:schemas:core:2.0:Group"
	scimPatch = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// remoteUser is a user there: the attributes that Okta maps by default.
type remoteUser struct {
	Schemas     []string      `json:"schemas"`
	ID          string        `json:"id,omitempty"`
	UserName    string        `json:"userName"`
	Name        remoteName    `json:"name"`
	Emails      []remoteEmail `json:"emails"`
	DisplayName string        `json:"displayName"`
	ExternalID  string        `json:"externalId"`
	Active      bool          `json:"active"`
}

type remoteName struct {
	GivenName  string `json:"givenName"`
	FamilyName string `json:"familyName"`
}

type remoteEmail struct {
	Primary bool   `json:"primary"`
	Value   string `json:"value"`
	Type    string `json:"type"`
}

func remoteOf(u *mockidp.User) remoteUser {
	return remoteUser{Schemas: []string{scimUser}, UserName: u.Login, Name: remoteName{u.FirstName, u.LastName},
		Emails: []remoteEmail{{true, u.Email, "work"}}, DisplayName: u.Name(), ExternalID: u.ID, Active: provisionable(u)}
}

// same compares what we push. A service provider may keep more.
func (a remoteUser) same(b remoteUser) bool {
	email := func(u remoteUser) string {
		for _, e := range u.Emails {
			if e.Primary || len(u.Emails) == 1 {
				return e.Value
			}
		}
		return ""
	}
	return a.UserName == b.UserName && a.Name == b.Name && a.DisplayName == b.DisplayName && a.ExternalID == b.ExternalID &&
		a.Active == b.Active && email(a) == email(b)
}

// patch is the body of a PATCH (RFC 7644 3.5.2).
func patch(ops ...map[string]any) map[string]any {
	return map[string]any{"schemas": []string{scimPatch}, "Operations": ops}
}

// user brings one user to what is held here; nil is somebody who is gone.
func (r *push) user(ctx context.Context, id string, u *mockidp.User) error {
	if r.skipUser(id, u) {
		r.count(&r.report.Users.Unchanged)
		return nil
	}
	there, err := r.findUser(ctx, id, u)
	if err != nil {
		return err
	}
	switch {
	case there == nil && (u == nil || !provisionable(u)):
		r.links.set(r.links.users, id, "") // nobody to deactivate
	case there == nil:
		return r.createUser(ctx, id, u)
	case u == nil || !provisionable(u):
		err = r.deactivate(ctx, there)
	default:
		err = r.changeUser(ctx, there, u)
	}
	if err != nil {
		return err
	}
	r.doneUser(id, u)
	return nil
}

func (r *push) skipUser(id string, u *mockidp.User) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, ok := r.done.users[id]
	return ok && reflect.DeepEqual(was, u)
}

func (r *push) doneUser(id string, u *mockidp.User) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done.users[id] = u
}

// findUser takes the way that is known, else looks the name up, as Okta does
// when it imports.
func (r *push) findUser(ctx context.Context, id string, u *mockidp.User) (*remoteUser, error) {
	if remote := r.links.get(r.links.users, id); remote != "" {
		var there remoteUser
		status, err := r.do(ctx, "GET", "/Users/"+url.PathEscape(remote), nil, &there, http.StatusNotFound)
		if err != nil {
			return nil, err
		}
		if status == http.StatusOK {
			return &there, nil
		}
	}
	if u == nil {
		return nil, nil
	}
	var list struct{ Resources []remoteUser }
	query := "?filter=" + url.QueryEscape("userName eq "+strconv.Quote(u.Login)) + "&startIndex=1&count=100"
	if _, err := r.do(ctx, "GET", "/Users"+query, nil, &list); err != nil {
		return nil, err
	}
	if len(list.Resources) == 0 {
		return nil, nil
	}
	r.links.set(r.links.users, id, list.Resources[0].ID)
	return &list.Resources[0], nil
}

// createUser also meets the user whom a request made whose answer got lost.
func (r *push) createUser(ctx context.Context, id string, u *mockidp.User) error {
	var made remoteUser
	status, err := r.do(ctx, "POST", "/Users", remoteOf(u), &made, http.StatusConflict)
	if err != nil {
		return err
	}
	if status == http.StatusConflict {
		r.links.set(r.links.users, id, "")
		there, err := r.findUser(ctx, id, u)
		if err != nil {
			return err
		}
		if there == nil {
			return scimError("POST", "/Users", status, "the name is taken, and a look for it finds nobody")
		}
		if err := r.changeUser(ctx, there, u); err != nil {
			return err
		}
		r.doneUser(id, u)
		return nil
	}
	r.links.set(r.links.users, id, made.ID)
	r.count(&r.report.Users.Created)
	r.doneUser(id, u)
	return nil
}

// changeUser reads, then puts everything back, as a profile push does.
func (r *push) changeUser(ctx context.Context, there *remoteUser, u *mockidp.User) error {
	want := remoteOf(u)
	want.ID = there.ID
	if there.same(want) {
		r.count(&r.report.Users.Unchanged)
		return nil
	}
	_, err := r.do(ctx, "PUT", "/Users/"+url.PathEscape(there.ID), want, nil)
	if err == nil {
		r.count(&r.report.Users.Changed)
	}
	return err
}

func (r *push) deactivate(ctx context.Context, there *remoteUser) error {
	if !there.Active {
		r.count(&r.report.Users.Unchanged)
		return nil
	}
	body := patch(map[string]any{"op": "replace", "value": map[string]any{"active": false}})
	if _, err := r.do(ctx, "PATCH", "/Users/"+url.PathEscape(there.ID), body, nil, http.StatusNotFound); err != nil {
		return err
	}
	r.count(&r.report.Users.Removed)
	return nil
}
