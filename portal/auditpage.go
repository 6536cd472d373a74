package portal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/audit"
)

// auditBody is the page with the events of this Region. Those of other Regions are on their disks only.
type auditBody struct {
	Text    string
	Class   audit.Class
	Classes []auditClass
	Alerts  []audit.Alert
	Events  []auditRow
	Damage  []*audit.Error
	Older   string // the address of older events, or ""
	Problem string
}

type auditClass struct {
	Value audit.Class
	Label string
}

// auditClasses are the choices of the form.
var auditClasses = []auditClass{
	{"", textAllEvents},
	{audit.Changes, textChanges},
	{audit.Remote, textRemote},
	{audit.Access, textAccess},
	{audit.Refusals, textRefusals},
}

// auditRow is an event on the page.
type auditRow struct {
	audit.Event
	JSON string
	Href string // the page of the user who caused it, or ""
}

// When returns the time in UTC, which the events of all Regions can be compared by.
func (r auditRow) When() string { return r.Time.UTC().Format("2006-01-02 15:04:05.000 UTC") }

// Who returns the user, or "".
func (r auditRow) Who() string {
	if r.Identity.UserName == "" && r.Identity.OnBehalfOf != nil {
		return r.Identity.OnBehalfOf.UserID
	}
	return r.Identity.UserName
}

// Whom returns the user or element that a change is about, or "".
func (r auditRow) Whom() string {
	for _, of := range []string{r.Request["userName"], r.Request["name"], r.Request["key"], r.Additional["rule"]} {
		if of != "" && of != r.Who() {
			return of
		}
	}
	return ""
}

const auditPageSize = 50

const (
	textAuditFailed = "The events can't be read now. Look at the log for the cause."
	textAllEvents   = "All events"
	textChanges     = "Changes"
	textRemote      = "Changes of other Regions"
	textAccess      = "Sign-ins and credentials"
	textRefusals    = "Refusals"
)

// auditPage searches the events. That is an event, too.
func (p *Portal) auditPage(w http.ResponseWriter, r *http.Request, v *visit) {
	if p.cfg.Audit == nil {
		p.notFound(w, r)
		return
	}
	q := r.URL.Query()
	body := auditBody{
		Text: q.Get("q"), Class: audit.Class(q.Get("class")), Classes: auditClasses, Alerts: p.cfg.Audit.Alerts(),
	}
	if !slices.ContainsFunc(auditClasses, func(c auditClass) bool { return c.Value == body.Class }) {
		body.Class = ""
	}
	found, err := p.cfg.Audit.Search(r.Context(), audit.Query{
		Class: body.Class, Text: body.Text, Before: positionOf(q.Get("before")), Max: auditPageSize,
	})
	status := http.StatusOK
	if err != nil {
		p.log.ErrorContext(r.Context(), "portal: events not read", "cause", err.Error())
		body.Problem, status = textAuditFailed, http.StatusServiceUnavailable
	}
	if body.Text != "" {
		p.auditRead(r, v.session, "SearchAuditLog", map[string]string{"text": body.Text, "class": string(body.Class)})
	}
	body.Damage = found.Damage
	for _, e := range found.Events {
		b, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			continue // it was JSON
		}
		row := auditRow{Event: e, JSON: string(b)}
		if of := e.Identity.OnBehalfOf; of != nil && p.directory() != nil {
			if u, ok := p.cfg.Directory.UserByID(of.UserID); ok {
				row.Href = personPath(u.ID)
			}
		}
		body.Events = append(body.Events, row)
	}
	if found.Next != nil {
		body.Older = PathAudit + "?" + url.Values{
			"q": {body.Text}, "class": {string(body.Class)}, "before": {positionText(found.Next)},
		}.Encode()
	}
	p.render(w, r, status, "audit", v.page("Audit log", "operator", body))
}

// exportAudit sends all events as JSON lines. That is an event, too. It doesn't confirm the export, as the browser may
// not have kept it: see audit.Log.Exported.
func (p *Portal) exportAudit(w http.ResponseWriter, r *http.Request, v *visit) {
	if p.cfg.Audit == nil {
		p.notFound(w, r)
		return
	}
	p.auditRead(r, v.session, "ExportAuditLog", nil)
	name := fmt.Sprintf("audit-%s-%s.jsonl", p.cfg.Region, p.now().UTC().Format("20060102T150405Z"))
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	// Many events take longer than a server's WriteTimeout for pages.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * time.Minute)) // without it, that one counts
	out, err := p.cfg.Audit.Export(r.Context(), w, nil)
	if err != nil || len(out.Damage) > 0 {
		p.log.WarnContext(r.Context(), "portal: export of events", "events", out.Events, "damaged", len(out.Damage),
			"cause", fmt.Sprint(err))
	}
}

// auditRead writes that an operator read events.
func (p *Portal) auditRead(r *http.Request, by sessions.Session, name string, request map[string]string) {
	p.access(r.Context(), audit.Event{
		Source: audit.SourceSSO, Name: name, ReadOnly: true, Identity: audit.User(by.UserID, by.UserName, by.ID),
		Request: request,
	})
}

// positionText and positionOf are a Position in an address. An invalid one is the newest event.
func positionText(p audit.Position) string {
	return fmt.Sprintf("%d.%d.%d.%d", p[audit.Changes], p[audit.Access], p[audit.Refusals], p[audit.Remote])
}

func positionOf(text string) audit.Position {
	var changes, access, refusals, remote uint64
	if n, err := fmt.Sscanf(text, "%d.%d.%d.%d", &changes, &access, &refusals, &remote); n != 4 || err != nil {
		return nil
	}
	return audit.Position{
		audit.Changes: changes, audit.Access: access, audit.Refusals: refusals, audit.Remote: remote,
	}
}
