package portal

import (
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal/audit"
)

// sessionsFound are the live sessions with an ID or an address.
type sessionsFound struct {
	Rows   []foundSession
	NoLog  bool   // the Region keeps no events, so none can be found
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
// this Region that have it say which users to ask for: at most maxPeople. So it costs what a search over the events
// does.
func (p *Portal) sessionsNamed(r *http.Request, name string) (*sessionsFound, error) {
	name = strings.TrimSpace(name)
	addr, err := netip.ParseAddr(name)
	if err == nil {
		name = addr.Unmap().String() // as events have it
	}
	if p.cfg.Audit == nil {
		return &sessionsFound{NoLog: true}, nil
	}
	out := &sessionsFound{Events: PathAudit + "?" + url.Values{"q": {name}}.Encode()}
	page, err := p.cfg.Audit.Search(r.Context(), audit.Query{Class: audit.Access, Text: name, Max: 500})
	if err != nil {
		return nil, err
	}
	var asked []string
	for _, e := range page.Events {
		of := e.Identity.OnBehalfOf
		if of == nil || len(asked) == maxPeople || slices.Contains(asked, of.UserID) {
			continue
		}
		asked = append(asked, of.UserID)
		u, ok := p.cfg.Directory.UserByID(of.UserID)
		if !ok {
			continue
		}
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
