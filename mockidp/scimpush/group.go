package scimpush

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/meridian-saml/meridian/mockidp"
)

// remoteGroup is a group at the service provider.
type remoteGroup struct {
	head
	DisplayName string         `json:"displayName"`
	Members     []remoteMember `json:"members"`
}

type remoteMember struct {
	Value string `json:"value"`
}

// wantedGroup is the wanted state of a group at the service provider.
type wantedGroup struct {
	name    string
	members []string // remote IDs, sorted
}

// wantedGroups returns the groups by ID; nil is one to be deleted.
func (r *push) wantedGroups(users map[string]*mockidp.User) map[string]*wantedGroup {
	out := wanted[wantedGroup](&r.groups)
	app := r.app()
	byName := map[string]*wantedGroup{}
	for _, g := range r.current.Groups() {
		if app == nil || slices.Contains(app.Groups, g.Name) {
			byName[g.Name] = &wantedGroup{name: g.Name}
			out[g.ID] = byName[g.Name]
		}
	}
	for id, u := range users {
		remote := r.users.get(id)
		if u == nil || remote == "" || !provisionable(u) {
			continue
		}
		for _, name := range u.Groups {
			if g := byName[name]; g != nil {
				g.members = append(g.members, remote)
			}
		}
	}
	for _, g := range byName {
		slices.Sort(g.members)
		g.members = slices.Compact(g.members)
	}
	return out
}

// pushGroup brings one group to the wanted state; nil deletes it. It returns the counter of the operation.
func (r *push) pushGroup(ctx context.Context, id string, g *wantedGroup, counts *Pushed) (*int, error) {
	groups := kind[remoteGroup]{"/Groups", "displayName", &r.groups}
	if g == nil {
		linked := r.groups.get(id)
		if linked == "" {
			return nil, nil // another Push deleted it
		}
		_, err := r.do(ctx, "DELETE", groups.at(linked), nil, nil, http.StatusNotFound)
		if err == nil {
			r.groups.Delete(id)
		}
		return &counts.Removed, err
	}
	remote, err := groups.find(ctx, r, id, g.name)
	created := err == nil && remote == nil
	if created {
		want := remoteGroup{head: head{Schemas: []string{scimGroup}}, DisplayName: g.name, Members: []remoteMember{}}
		var made string
		if made, remote, err = groups.create(ctx, r, id, g.name, want); remote == nil {
			want.ID, remote = made, &want
		}
	}
	if err != nil {
		return nil, err
	}
	ops := changes(remote, g)
	for chunk := range slices.Chunk(ops, 10) {
		if _, err := r.do(ctx, "PATCH", groups.at(remote.ID), patch(chunk...), nil); err != nil {
			return nil, err
		}
	}
	switch {
	case created:
		return &counts.Created, nil
	case len(ops) > 0:
		return &counts.Changed, nil
	}
	return &counts.Unchanged, nil
}

// membersAtOnce is how many members one operation of a PATCH adds.
const membersAtOnce = 100

// changes returns the operations that change the name, remove members and add members.
func changes(remote *remoteGroup, g *wantedGroup) []map[string]any {
	var ops []map[string]any
	if remote.DisplayName != g.name {
		ops = append(ops, map[string]any{"op": "replace",
			"value": map[string]any{"id": remote.ID, "displayName": g.name}})
	}
	has := map[string]bool{}
	for _, m := range remote.Members {
		has[m.Value] = true
		if _, stays := slices.BinarySearch(g.members, m.Value); !stays {
			ops = append(ops, map[string]any{"op": "remove", "path": "members[value eq " + strconv.Quote(m.Value) + "]"})
		}
	}
	var added []remoteMember
	for _, m := range g.members {
		if !has[m] {
			added = append(added, remoteMember{m})
		}
	}
	for chunk := range slices.Chunk(added, membersAtOnce) {
		ops = append(ops, map[string]any{"op": "add", "path": "members", "value": chunk})
	}
	return ops
}
