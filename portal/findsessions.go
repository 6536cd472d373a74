package portal

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
)

// maxSearches is how many pages of events a search for sessions reads, of 500 events or 16 MiB each.
const maxSearches = 4

// sessionsFound are the live sessions with an ID or an address.
type sessionsFound struct {
	Rows   []foundSession
	NoLog  bool   // the Region keeps no events, so none can be found
	More   bool   // there may be others: not all events were searched
	Events string // the address of the events that name them
}

// foundSession is a session and its user.
type foundSession struct {
	sessionRow
	Person personRow
}

// sessionID is a session's ID, as events have it.
var sessionID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// namesSession reports whether a query is an IP address or a session's ID.
func namesSession(text string) bool {
	text = strings.TrimSpace(text)
	_, err := netip.ParseAddr(text)
	return err == nil || sessionID.MatchString(text)
}

// sessionsNamed finds sessions by an ID or an address. A store lists sessions by user only, so the newest events of
// this Region that have it say which users to ask for: at most maxPeople. So it costs what maxSearches searches over
// the events do. It is an event, too.
func (p *Portal) sessionsNamed(r *http.Request, v *visit, name string) (*sessionsFound, error) {
	name = strings.TrimSpace(name)
	addr, err := netip.ParseAddr(name)
	if err == nil {
		name = addr.Unmap().String() // as events have it
	}
	if p.cfg.Audit == nil {
		return &sessionsFound{NoLog: true}, nil
	}
	out := &sessionsFound{Events: PathAudit + "?" + url.Values{"q": {name}}.Encode()}
	p.auditRead(r, v.session, "SearchAuditLog", map[string]string{"text": name, "class": string(audit.Access)})
	users, more, err := p.usersOfSession(r.Context(), name)
	if err != nil {
		return nil, err
	}
	out.More = more
	for _, u := range users {
		list, err := p.cfg.Sessions.List(r.Context(), u.ID)
		if err != nil {
			return nil, err
		}
		for _, row := range p.sessionRows(r, list, "") {
			if (row.ID == name || row.From.Addr == name) && len(out.Rows) < maxSessionRows {
				out.Rows = append(out.Rows, foundSession{row, p.personRow(u)})
			}
		}
	}
	return out, nil
}

// usersOfSession returns the users that the newest events with a session's ID or address name, and whether there may
// be more.
func (p *Portal) usersOfSession(ctx context.Context, name string) (users []center.User, more bool, err error) {
	var known []string
	q := audit.Query{Class: audit.Access, Session: name, Max: 500}
	for range maxSearches {
		page, err := p.cfg.Audit.Search(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for _, e := range page.Events {
			of := e.Identity.OnBehalfOf
			if of == nil || slices.Contains(known, of.UserID) {
				continue
			}
			u, ok := p.cfg.Directory.UserByID(of.UserID)
			if ok && len(users) == maxPeople {
				return users, true, nil
			}
			known = append(known, of.UserID)
			if ok {
				users = append(users, u)
			}
		}
		if page.Next == nil {
			return users, false, nil
		}
		q.Before = page.Next
	}
	return users, true, nil
}
