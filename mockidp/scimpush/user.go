package scimpush

import (
	"context"
	"net/http"
	"net/url"

	"github.com/meridian-saml/meridian/mockidp"
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

func (u remoteUser) remoteID() string { return u.ID }

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

// user brings one user to what is held here; nil is one who is gone.
func (r *push) user(ctx context.Context, id string, u *mockidp.User) error {
	if isDone(&r.doneUsers, id, u) {
		r.count(&r.report.Users.Unchanged)
		return nil
	}
	r.doneUsers.Delete(id) // a request that fails may have been carried out
	login, active := "", false
	if u != nil {
		login, active = u.Login, provisionable(u)
	}
	there, err := r.usersThere().find(ctx, r, id, login)
	switch {
	case err != nil:
	case there == nil && !active: // no user to deactivate
		r.users.byID.Delete(id)
	case there == nil:
		err = r.createUser(ctx, id, u)
	case !active:
		err = r.deactivate(ctx, there)
	default:
		err = r.changeUser(ctx, there, u)
	}
	if err == nil {
		r.doneUsers.Store(id, u)
	}
	return err
}

func (r *push) usersThere() kind[remoteUser] { return kind[remoteUser]{"/Users", "userName", &r.users} }

func (r *push) createUser(ctx context.Context, id string, u *mockidp.User) error {
	_, there, err := r.usersThere().create(ctx, r, id, u.Login, remoteOf(u))
	if err != nil {
		return err
	}
	if there != nil {
		return r.changeUser(ctx, there, u)
	}
	r.count(&r.report.Users.Created)
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
