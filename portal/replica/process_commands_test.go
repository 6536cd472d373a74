package replica_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

// obey does what a Region's process is told in one line, and answers in one:
// "ok", a value, or "refused" and a Reason. A test of a later version drives a
// process of this one by these lines, so they stay as they are.
//
//	follow REGION URL           AddPeer
//	addr                        the Region's address
//	peer REGION                 the peer's state
//	user ID active|inactive     PutUser
//	person ID                   active, inactive or none
//	about ID                    the instance's ID, and the user's UUID and CreatedAt
//	adopt IDP                   AdoptIdentityProvider
//	provider IDP ID NAME        PutIdentityProvider, and PutUser of a user of it
//	asserts IDP NAME            UserOf: the user's ID, or none
//	session ID USER             Create, under the key key-ID
//	alive ID                    alive or over
//	revoke USER ID              Revoke
//	record KIND KEY optional|strict [USER]   a record of a kind, and the user disabled with it
//	backup FILE                 BackUpFile, again and again until the process is killed
//	die N                       kill -9 of the process itself, before the Nth write to its log from now on
//	kinds                       writeKinds
//	shown                       shownKinds
//	logout                      EndSubject, of a subject that has no session
//	probe                       Probe, which an older version doesn't know
//	full KIND                   a full transaction without records of that kind
//	add REGION                  AddRegion of the control plane
//	remove REGION               RemoveRegion, with all applications there
//	status REGION               ADDING, ACTIVE, REMOVING or none
//	entry STREAM KIND KEY optional|strict    an entry of a kind, for an hour
func obey(n *replica.Node, line string) string {
	word := append(strings.Fields(line), "", "", "", "", "") // what isn't said is empty
	answer, err := "ok", error(nil)
	switch word[0] {
	case "follow":
		err = n.AddPeer(context.Background(), word[1], replica.Peer{URL: word[2]})
	case "addr":
		answer = n.Addr()
	case "peer":
		answer = "none"
		for _, p := range n.Peers() {
			if p.Region == word[1] {
				answer = string(p.State)
			}
		}
	case "user", "person", "about":
		answer, err = obeyUsers(n, word)
	case "adopt", "provider", "asserts":
		answer, err = obeyProviders(n.View(), word)
	case "session", "alive", "revoke":
		answer, err = obeySessions(n, word)
	case "record":
		var others []replica.Change
		if id := word[4]; id != "" {
			others = []replica.Change{disabled(id)}
		}
		err = replica.WriteKind(n, word[1], word[2], `{"later":true}`, word[3] == "optional", others...)
	case "add", "remove", "status":
		answer, err = obeyControl(n, word)
	case "backup":
		for err == nil {
			_, err = n.BackUpFile(context.Background(), word[1])
		}
	case "die":
		var before int64
		before, err = strconv.ParseInt(word[1], 10, 64)
		dieBefore.Store(before)
	case "kinds":
		err = writeKinds(n)
	case "shown":
		answer, err = shownKinds(n)
	case "logout":
		_, err = n.Sessions().EndSubject(context.Background(), sessions.Logout{Until: time.Now().Add(time.Hour),
			Subject: sessions.Subject{Provider: "https://later.example", NameID: sessions.NameID{Value: "another"}}})
	case "probe":
		err = n.Probe(context.Background())
	case "full":
		err = replica.WriteFull(n, word[1])
	case "entry":
		err = replica.WriteEntry(n, word[1], word[2], word[3], time.Now().Add(time.Hour), word[4] == "optional")
	default:
		err = errors.New("not known")
	}
	var e *replica.Error
	if errors.As(err, &e) {
		return "refused " + string(e.Reason)
	} else if err != nil {
		return "error " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return answer
}

func obeyControl(n *replica.Node, word []string) (string, error) {
	s := n.View().Snapshot()
	switch word[0] {
	case "add":
		status, err := controlOf(n).AddRegion(context.Background(), administrator, center.Region{Name: word[1]})
		return string(status), err
	case "remove":
		var accept []string
		for _, a := range s.ApplicationsIn(word[1]) {
			accept = append(accept, a.ID)
		}
		status, err := controlOf(n).RemoveRegion(administrator, word[1], accept...)
		return string(status), err
	}
	r, ok := s.Region(word[1])
	if !ok {
		return "none", nil
	}
	return string(r.Status), nil
}

func obeyUsers(n *replica.Node, word []string) (string, error) {
	v := n.View()
	switch {
	case v == nil:
		return "none", nil
	case word[0] == "user":
		return "ok", v.Update(putUser(center.User{ID: word[1], UserName: word[1] + "@example.com",
			Inactive: word[2] != "active"}))
	}
	u, ok := v.UserByID(word[1])
	switch {
	case !ok:
		return "none", nil
	case word[0] == "about":
		s := v.Snapshot()
		return fmt.Sprint(s.Metadata().ID, " ", s.UserUUID(u.ID), " ", u.CreatedAt.UnixMilli()), nil
	case !u.Inactive:
		return "active", nil
	}
	return "inactive", nil
}

func obeyProviders(v *center.View, word []string) (string, error) {
	p := center.IdentityProvider{EntityID: word[1]}
	switch word[0] {
	case "adopt":
		return "ok", v.Update(func(tx *center.Tx) error { return tx.AdoptIdentityProvider(p) })
	case "provider":
		return "ok", v.Update(func(tx *center.Tx) error {
			_ = tx.PutIdentityProvider(p)
			return tx.PutUser(center.User{ID: word[2], UserName: word[3], IdentityProvider: p.EntityID})
		})
	}
	u, ok := v.UserOf(word[1], word[2])
	if !ok {
		return "none", nil
	}
	return u.ID, nil
}

func obeySessions(n *replica.Node, word []string) (string, error) {
	ctx, s := context.Background(), n.Sessions()
	switch word[0] {
	case "session":
		e, err := s.Epoch(ctx, word[2])
		if err != nil {
			return "", err
		}
		return "ok", s.Create(ctx, "key-"+word[1], at(n, session(word[2], word[1], e)))
	case "revoke":
		return "ok", s.Revoke(ctx, word[1], word[2])
	}
	_, err := s.Get(ctx, "key-"+word[1])
	if errors.Is(err, sessions.ErrNoSession) {
		return "over", nil
	}
	return "alive", err
}
