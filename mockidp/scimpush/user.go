package scimpush

import (
	"context"
	"net/http"

	"github.com/meridian-saml/meridian/mockidp"
)

// remoteUser is a user at the service provider, with the attributes that Okta maps by default.
type remoteUser struct {
	head
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
	return remoteUser{
		head: head{Schemas: []string{scimUser}}, UserName: u.Login, Name: remoteName{u.FirstName, u.LastName},
		Emails: []remoteEmail{{true, u.Email, "work"}}, DisplayName: u.Name(), ExternalID: u.ID, Active: provisionable(u),
	}
}

// provisionable reports whether the user is to be active at the service provider. As at Okta, a user who is
// suspended or locked out can't sign in but keeps the account.
func provisionable(u *mockidp.User) bool {
	return u.Status != mockidp.Deprovisioned && u.Status != mockidp.Staged
}

// email returns the primary address, or the only one.
func (u remoteUser) email() string {
	for _, e := range u.Emails {
		if e.Primary || len(u.Emails) == 1 {
			return e.Value
		}
	}
	return ""
}

// same compares the attributes that are pushed. A service provider may keep more.
func (u remoteUser) same(v remoteUser) bool {
	return u.UserName == v.UserName && u.Name == v.Name && u.DisplayName == v.DisplayName &&
		u.ExternalID == v.ExternalID && u.Active == v.Active && u.email() == v.email()
}

// wantedUsers returns the users by ID; nil is one to be deactivated.
func (r *push) wantedUsers() map[string]*mockidp.User {
	out := wanted[mockidp.User](&r.users)
	app := r.app()
	for _, u := range r.current.Users() {
		assigned := app == nil || app.AssignedTo(u)
		if assigned && (u.Status != mockidp.Staged || r.users.get(u.ID) != "") {
			out[u.ID] = &u
		}
	}
	return out
}

// pushUser brings one user to the wanted state; nil deactivates the user. It returns the counter of the operation, or
// nil.
func (r *push) pushUser(ctx context.Context, id string, u *mockidp.User, counts *Pushed) (*int, error) {
	users := kind[remoteUser]{"/Users", "userName", &r.users}
	login, active := "", u != nil && provisionable(u)
	if u != nil {
		login = u.Login
	}
	remote, err := users.find(ctx, r, id, login)
	if err != nil {
		return nil, err
	}
	switch {
	case !active && remote == nil:
		r.users.Delete(id)
		return nil, nil
	case !active && !remote.Active:
		return &counts.Unchanged, nil
	case !active:
		body := patch(map[string]any{"op": "replace", "value": map[string]any{"active": false}})
		_, err = r.do(ctx, "PATCH", users.at(remote.ID), body, nil, http.StatusNotFound)
		return &counts.Removed, err
	}
	want := remoteOf(u)
	if remote == nil {
		if _, remote, err = users.create(ctx, r, id, login, want); err != nil || remote == nil {
			return &counts.Created, err
		}
	}
	if want.ID = remote.ID; remote.same(want) {
		return &counts.Unchanged, nil
	}
	_, err = r.do(ctx, "PUT", users.at(remote.ID), want, nil) // all of it, as Okta's profile push does
	return &counts.Changed, err
}
