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

// table holds what the service provider calls our users, or groups, by our IDs.
// The Pusher keeps it, as Okta does: a user who is renamed is found again. It
// outlives mockidp.Server.Reset, because the service provider does too.
type table struct{ byID sync.Map }

// get returns "" if there is no link.
func (t *table) get(id string) string {
	remote, _ := t.byID.Load(id)
	s, _ := remote.(string)
	return s
}

func (t *table) ids() (out []string) {
	t.byID.Range(func(id, _ any) bool {
		out = append(out, id.(string))
		return true
	})
	return out
}

// resource is a remoteUser or a remoteGroup.
type resource interface{ remoteID() string }

// kind is what differs between users and groups in finding and making them.
type kind[T resource] struct {
	path, name string // the name's attribute
	links      *table
}

// find takes the way that is known, else looks the name up, as Okta does when it
// imports. name may be "" and the result is nil if there is none.
func (k kind[T]) find(ctx context.Context, r *push, id, name string) (*T, error) {
	if remote := k.links.get(id); remote != "" {
		var there T
		status, err := r.do(ctx, "GET", k.path+"/"+url.PathEscape(remote), nil, &there, http.StatusNotFound)
		if err != nil {
			return nil, err
		}
		if status == http.StatusOK {
			return &there, nil
		}
	}
	if name == "" {
		return nil, nil
	}
	var list struct{ Resources []T }
	query := "?filter=" + url.QueryEscape(k.name+" eq "+strconv.Quote(name)) + "&startIndex=1&count=100"
	if _, err := r.do(ctx, "GET", k.path+query, nil, &list); err != nil {
		return nil, err
	}
	if len(list.Resources) == 0 {
		return nil, nil
	}
	k.links.byID.Store(id, list.Resources[0].remoteID())
	return &list.Resources[0], nil
}

// create makes one. It also meets the one that a request made whose answer got
// lost: there is nil if it was made now.
func (k kind[T]) create(ctx context.Context, r *push, id, name string, want T) (made string, there *T, err error) {
	var answer T
	status, err := r.do(ctx, "POST", k.path, want, &answer, http.StatusConflict)
	if err != nil {
		return "", nil, err
	}
	if status != http.StatusConflict {
		k.links.byID.Store(id, answer.remoteID())
		return answer.remoteID(), nil, nil
	}
	k.links.byID.Delete(id)
	if there, err = k.find(ctx, r, id, name); err == nil && there == nil {
		err = scimError("POST", k.path, status, "the name is taken, and a look for it finds nothing")
	}
	return "", there, err
}

// patch is the body of a PATCH (RFC 7644 3.5.2).
func patch(ops ...map[string]any) map[string]any {
	return map[string]any{"schemas": []string{scimPatch}, "Operations": ops}
}
