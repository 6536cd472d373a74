package scimpush

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

type remoteGroup struct {
	Schemas     []string       `json:"schemas"`
	ID          string         `json:"id,omitempty"`
	DisplayName string         `json:"displayName"`
	Members     []remoteMember `json:"members"`
}

func (g remoteGroup) remoteID() string { return g.ID }

type remoteMember struct {
	Value string `json:"value"`
}

// membersAtOnce is how many members one operation of a PATCH names.
const membersAtOnce = 100

// group brings one group to what is held here; nil is one that is gone.
func (r *push) group(ctx context.Context, id string, g *pushedGroup) error {
	if g == nil {
		return r.deleteGroup(ctx, id)
	}
	if isDone(&r.doneGroups, id, g) {
		r.count(&r.report.Groups.Unchanged)
		return nil
	}
	r.doneGroups.Delete(id) // a request that fails may have been carried out
	groups := kind[remoteGroup]{"/Groups", "displayName", &r.groups}
	there, err := groups.find(ctx, r, id, g.name)
	created := err == nil && there == nil
	if created {
		want := remoteGroup{Schemas: []string{scimGroup}, DisplayName: g.name, Members: []remoteMember{}}
		made := want
		if made.ID, there, err = groups.create(ctx, r, id, g.name, want); there == nil {
			there = &made
		}
	}
	if err != nil {
		return err
	}
	ops := changesOf(there, g)
	for chunk := range slices.Chunk(ops, 10) {
		if _, err := r.do(ctx, "PATCH", "/Groups/"+url.PathEscape(there.ID), patch(chunk...), nil); err != nil {
			return err
		}
	}
	switch {
	case created:
		r.count(&r.report.Groups.Created)
	case len(ops) > 0:
		r.count(&r.report.Groups.Changed)
	default:
		r.count(&r.report.Groups.Unchanged)
	}
	r.doneGroups.Store(id, g)
	return nil
}

// changesOf are the operations that make a group what it should be: the name,
// who leaves, and who comes.
func changesOf(there *remoteGroup, g *pushedGroup) []map[string]any {
	var ops []map[string]any
	if there.DisplayName != g.name {
		ops = append(ops, map[string]any{"op": "replace", "value": map[string]any{"id": there.ID, "displayName": g.name}})
	}
	has := map[string]bool{}
	for _, m := range there.Members {
		has[m.Value] = true
		if _, stays := slices.BinarySearch(g.members, m.Value); !stays {
			ops = append(ops, map[string]any{"op": "remove", "path": "members[value eq " + strconv.Quote(m.Value) + "]"})
		}
	}
	var come []remoteMember
	for _, m := range g.members {
		if !has[m] {
			come = append(come, remoteMember{m})
		}
	}
	for chunk := range slices.Chunk(come, membersAtOnce) {
		ops = append(ops, map[string]any{"op": "add", "path": "members", "value": chunk})
	}
	return ops
}

func (r *push) deleteGroup(ctx context.Context, id string) error {
	remote := r.groups.get(id)
	if remote == "" {
		return nil
	}
	if _, err := r.do(ctx, "DELETE", "/Groups/"+url.PathEscape(remote), nil, nil, http.StatusNotFound); err != nil {
		return err
	}
	r.groups.byID.Delete(id)
	r.doneGroups.Delete(id)
	r.count(&r.report.Groups.Removed)
	return nil
}
