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
	if r.skipGroup(id, g) {
		r.count(&r.report.Groups.Unchanged)
		return nil
	}
	there, err := r.findGroup(ctx, id, g)
	if err != nil {
		return err
	}
	created := there == nil
	if created {
		there = &remoteGroup{Schemas: []string{scimGroup}, DisplayName: g.name, Members: []remoteMember{}}
		var made remoteGroup
		status, err := r.do(ctx, "POST", "/Groups", there, &made, http.StatusConflict)
		if err != nil {
			return err
		}
		if status == http.StatusConflict { // the answer to an earlier one got lost
			if there, err = r.findGroup(ctx, id, g); err == nil && there == nil {
				err = scimError("POST", "/Groups", status, "the name is taken, and a look for it finds no group")
			}
			if err != nil {
				return err
			}
		} else {
			there.ID = made.ID
			r.links.set(r.links.groups, id, made.ID)
		}
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
	r.doneGroup(id, g)
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

func (r *push) findGroup(ctx context.Context, id string, g *pushedGroup) (*remoteGroup, error) {
	if remote := r.links.get(r.links.groups, id); remote != "" {
		var there remoteGroup
		status, err := r.do(ctx, "GET", "/Groups/"+url.PathEscape(remote), nil, &there, http.StatusNotFound)
		if err != nil {
			return nil, err
		}
		if status == http.StatusOK {
			return &there, nil
		}
	}
	var list struct{ Resources []remoteGroup }
	query := "?filter=" + url.QueryEscape("displayName eq "+strconv.Quote(g.name)) + "&startIndex=1&count=100"
	if _, err := r.do(ctx, "GET", "/Groups"+query, nil, &list); err != nil {
		return nil, err
	}
	if len(list.Resources) == 0 {
		return nil, nil
	}
	r.links.set(r.links.groups, id, list.Resources[0].ID)
	return &list.Resources[0], nil
}

func (r *push) deleteGroup(ctx context.Context, id string) error {
	remote := r.links.get(r.links.groups, id)
	if remote == "" {
		return nil
	}
	if _, err := r.do(ctx, "DELETE", "/Groups/"+url.PathEscape(remote), nil, nil, http.StatusNotFound); err != nil {
		return err
	}
	r.links.set(r.links.groups, id, "")
	r.count(&r.report.Groups.Removed)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.done.groups, id)
	return nil
}

func (r *push) skipGroup(id string, g *pushedGroup) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, ok := r.done.groups[id]
	return ok && was.name == g.name && slices.Equal(was.members, g.members)
}

func (r *push) doneGroup(id string, g *pushedGroup) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done.groups[id] = *g
}
