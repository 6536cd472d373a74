package scimpush

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"
)

const (
	scimUser  = "urn:ietf:params:scim:schemas:core:2.0:User"
	scimGroup = "urn:ietf:params:scim:schemas:core:2.0:Group"
	scimPatch = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// links holds the service provider's IDs of users, or of groups, by our IDs. The Pusher keeps them, as Okta does, so
// that a renamed user is found again. mockidp.Server.Reset doesn't clear them, because the service provider keeps its
// users.
type links struct{ sync.Map }

// get returns "" if there is no link.
func (l *links) get(id string) string {
	remote, _ := l.Load(id)
	s, _ := remote.(string)
	return s
}

// wanted returns a map that has nil for every link.
func wanted[T any](l *links) map[string]*T {
	out := map[string]*T{}
	for id := range l.Range {
		out[id.(string)] = nil
	}
	return out
}

// head holds the fields that users and groups share.
type head struct {
	Schemas []string `json:"schemas"`
	ID      string   `json:"id,omitempty"`
}

func (h head) remoteID() string { return h.ID }

// kind describes how users or groups are found and created.
type kind[T interface{ remoteID() string }] struct {
	path, name string // of the endpoint, and of the attribute that is looked up
	links      *links
}

func (k kind[T]) at(remoteID string) string { return k.path + "/" + url.PathEscape(remoteID) }

// find returns the resource that is linked, or else the one with that name, as Okta does when it imports.
// Without a name nothing is looked up. The result is nil if there is none.
func (k kind[T]) find(ctx context.Context, r *push, id, name string) (*T, error) {
	if linked := k.links.get(id); linked != "" {
		var remote T
		status, err := r.do(ctx, "GET", k.at(linked), nil, &remote, http.StatusNotFound)
		if err != nil {
			return nil, err
		}
		if status == http.StatusOK {
			return &remote, nil
		}
	}
	if name == "" {
		return nil, nil
	}
	var list struct{ Resources []T }
	query := "?filter=" + url.QueryEscape(k.name+" eq "+strconv.Quote(name)) + "&startIndex=1&count=100"
	if _, err := r.do(ctx, "GET", k.path+query, nil, &list); err != nil || len(list.Resources) == 0 {
		return nil, err
	}
	k.links.Store(id, list.Resources[0].remoteID())
	return &list.Resources[0], nil
}

// create creates a resource and returns its remote ID. If one with its name exists, it returns that one instead. An
// earlier request may have created it, with the answer lost.
func (k kind[T]) create(ctx context.Context, r *push, id, name string, want T) (made string, existing *T, err error) {
	var answer T
	status, err := r.do(ctx, "POST", k.path, want, &answer, http.StatusConflict)
	if err != nil {
		return "", nil, err
	}
	if status != http.StatusConflict {
		k.links.Store(id, answer.remoteID())
		return answer.remoteID(), nil, nil
	}
	k.links.Delete(id)
	if existing, err = k.find(ctx, r, id, name); err == nil && existing == nil {
		err = refused("POST", k.path, status, "the name is taken, but a search for it finds nothing")
	}
	return "", existing, err
}

// patch returns the body of a PATCH (RFC 7644 3.5.2).
func patch(ops ...map[string]any) map[string]any {
	return map[string]any{"schemas": []string{scimPatch}, "Operations": ops}
}
