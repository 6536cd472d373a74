package portal

import (
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/center"
)

// samples are pages for every template, with values in every list and field, and with as few as possible. Templates of
// Config.Templates are executed with them.
func (p *Portal) samples() map[string][]page {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	user := center.User{ID: "1", UserName: "alice@example.com", DisplayName: "Alice Adams"}
	here := regionLink{Region: center.Region{
		Name: "us-east-1", Label: "N. Virginia", PortalURLs: []string{"https://portal.example"},
		ACSURLs: []string{"https://portal.example/acs"},
	}, Current: true, Primary: true, State: textActive}
	lost := regionLink{Region: center.Region{Name: "eu-central-1", Status: center.RegionAdding},
		Accent: 1, Open: "https://eu-central-1.portal.example", Heard: "3 s ago", Unreachable: true,
		State: "Lost", Notable: true, Out: true}
	account := center.Account{ID: "111122223333", Name: "Production", Email: "production@example.com"}
	set := center.PermissionSet{Name: "ReadOnly", Description: "Reads", SessionDuration: time.Hour}
	provider := center.IdentityProvider{EntityID: "https://idp.example", Name: "Example"}
	session := sessionRow{
		Session: sessions.Session{ID: "2", Client: "Command line", Created: at, Host: "portal.example"},
		Region:  here.Region, Seen: "3 s ago", Lost: true, From: sessionFrom{"Firefox", "Windows", "192.0.2.1"},
	}
	regions := []center.Region{here.Region, lost.Region}
	english := p.theme.English()
	sets := []setRow{{Name: set.Name, Description: set.Description, Favorite: true}}
	shortcut := []shortcutRow{{Name: set.Name, Account: account, Href: "/accounts/111122223333/ReadOnly"}, {Name: "Wiki"}}
	person := personRow{user, "Example", personPath(user.ID)}
	bodies := map[string][]any{
		"account": {accountBody{account, sets}},
		"accounts": {
			accountsBody{[]accountRow{{Account: account, Sets: sets, Count: 2, More: true, Open: true}}, shortcut, shortcut},
			accountsBody{},
		},
		"applications": {
			[]applicationRow{{Application: center.Application{
				ID: "wiki", Name: "Wiki", Description: "Text", URL: "https://wiki.example", Region: "us-east-1",
			}, Favorite: true, Lost: true}},
			[]applicationRow{},
		},
		"audit": {
			auditBody{
				Text: "alice", Classes: auditClasses, Alerts: []audit.Alert{{}}, Events: []auditRow{{}, {Href: PathPeople}},
				Damage: []*audit.Error{{}}, Older: "/operator/audit?before=1", Problem: "Problem",
			},
			auditBody{Older: "/operator/audit?before=1"},
		},
		"begin": {beginBody{Href: PathLogin}},
		"keys":  {keysBody{account, set, shellLines{"export A='b'", "$Env:A='b'"}, at, "/accounts/111122223333/ReadOnly"}},
		"client": {
			consentBody{ClientRequest: ClientRequest{Name: "Command line", Scopes: []string{"see your accounts"}, Asked: at}},
			consentBody{Waits: "localhost"},
		},
		"confirm": {confirmBody{Now: user, Next: center.User{UserName: "bob@example.com"}, NowOf: "One", NextOf: "Two"}},
		"device":  {deviceBody{UserCode: "ABCD", Given: true}, deviceBody{Problem: textUserCode}},
		"endsessions": {
			endSessionsBody{Person: person, Session: "2", Ends: []sessionRow{session}, Behind: regions},
			endSessionsBody{Person: person, Session: "2", Ends: []sessionRow{session, {Session: session.Session}}},
			endSessionsBody{Person: person},
		},
		"everywhere": {signedOutBody{Regions: regions, Behind: regions}},
		"message":    {messageBody{"Text", "MRD-0000-0000", "Sign in", PathLogin}},
		"operator": {operatorBody{
			Regions: []regionRow{
				{regionLink: here, texts: english},
				{regionLink: lost, Peer: Peer{Total: 2, Done: 1}, Known: true, texts: english},
			},
			ACS: []string{"https://portal.example/acs"}, Portals: []string{"https://portal.example"},
			SP: spValues{"https://portal.example/sp", "https://portal.example/metadata", []certificateRow{
				{"certificate-0", "signing", "-----BEGIN"}, {"certificate-1", "", "-----BEGIN"}}},
			Tasks: center.Tasks(), Domains: []string{"portal.example"},
			Providers: []center.IdentityProvider{provider}, MoreProviders: 1,
			People: true,
		}},
		"addregion": {
			addRegionBody{Problem: &refusedChange{textOther, "detail"}, Asked: "eu-south-1",
				Checklist: []checklistRow{{Text: "Text"}, {"Text", &refusedChange{textOther, "detail"}}}},
			addRegionBody{Ready: true, Others: []refusedPlaces{{[]center.Place{{Name: "a"}}, &refusedChange{textOther, ""}}},
				Choices: []choice{{Advice: center.Advice{Kilometres: 1, Unsupported: []string{"Wiki"}}, Selected: true}}},
			addRegionBody{Ready: true}, addRegionBody{Chosen: &here.Region},
		},
		"people": {
			peopleBody{Query: "192.0.2.1", People: []personRow{person}, Looked: 1, More: PathPeople, Next: true,
				First: PathPeople, Sessions: &sessionsFound{Rows: []foundSession{{session, person}}, More: true,
					Events: PathAudit}},
			peopleBody{More: PathPeople, Sessions: &sessionsFound{NoLog: true}}, peopleBody{},
		},
		"person": {
			personBody{Person: person, UUID: "2", Groups: []string{"Developers"},
				Applications: []center.Application{{Name: "Wiki"}},
				Accounts:     []accountRow{{Account: account, Sets: sets, Count: 2, More: true}},
				Sessions:     []sessionRow{session, {Session: session.Session, Current: true}}, Behind: regions, Done: "Done",
				Problem: textAlreadyEnded, MoreGroups: 1, MoreAccounts: 1, MoreApplications: 1, MoreSessions: 1},
			personBody{Person: personRow{User: center.User{ID: "3", UserName: "dora@example.com", Inactive: true}}},
		},
		"region": {
			regionBody{Row: regionRow{regionLink: lost}, Name: lost.Name, Console: "Replicating", API: "ADDING", Done: 1,
				Total: 2, Left: "1 minute", Okta: []appField{{"Name", "https://portal.example/acs", true}},
				Entra: []appField{{"Index 0", "https://portal.example/acs", true}}, Hosts: []hostRow{{"a.example", "Use", "IPv4"}}},
			regionBody{Row: regionRow{regionLink: lost}, Name: lost.Name, API: "ADDING"},
			regionBody{Row: regionRow{regionLink: lost}, Name: lost.Name, API: "ACTIVE", MayEdit: true},
			regionBody{Row: regionRow{regionLink: lost}, Name: lost.Name, API: "REMOVING", MayEdit: true},
			regionBody{Row: regionRow{regionLink: here}, Name: here.Name, API: "ACTIVE", Rotates: true},
			regionBody{Row: regionRow{regionLink: lost}, Name: lost.Name, API: "ACTIVE", Rotates: true},
			regionBody{Removed: true, Name: lost.Name, MayEdit: true},
		},
		"removeregion": {
			removeRegionBody{Region: lost.Region, Apps: []center.Application{{Name: "Wiki", Description: "Text"}}, MoreApps: 1,
				Typed: "eu", Problem: &refusedChange{textOther, "detail"}},
			removeRegionBody{Region: here.Region, Problem: &refusedChange{textOther, ""}, Blocked: true},
		},
		"rotation": {
			rotationBody{Region: here.Region, Last: true, Typed: "us", Problem: textNotTyped}, rotationBody{Region: here.Region},
			rotationBody{Region: here.Region, Out: true},
		},
		"role": {
			roleBody{
				Account: account, PermissionSet: set, Favorite: true, Actions: []roleAction{{"Console", "https://console.example"}},
				Issues: true, Keys: &accessKeys{"profile", "[profile]"}, DeepLink: "https://portal.example/console",
			},
			roleBody{Account: account, PermissionSet: set},
		},
		"sessions": {[]sessionRow{session, {Session: session.Session, Region: here.Region, Current: true}}},
		"signedout": {
			signedOutBody{Regions: regions, Behind: regions, Provider: "Example", Offer: true},
			signedOutBody{Everywhere: true, Regions: regions, Result: resultEnded}, signedOutBody{Result: resultPartial},
			signedOutBody{Result: resultUntold, Link: "https://idp.example/out"},
		},
	}
	out := map[string][]page{}
	for name, list := range bodies {
		for _, body := range list {
			base := page{Title: "Title", Here: here, Until: at, Body: body, Brand: p.brand, texts: english}
			base.Find = &finder{Path: pathHome} // as pages with a list have
			full := base
			full.Ends, full.Renew = "5 minutes", PathLogin
			full.Find = &finder{Path: pathHome, Query: "wiki", pager: pager{
				Total: 60, From: 26, To: 50, Page: 2, Pages: 3, Here: "/?page=2", Prev: "/", Next: "/?page=3",
			}}
			full.Tab, full.User, full.Of, full.Operator = "accounts", &user, "Example", true
			full.Regions = []regionLink{here, lost}
			out[name] = append(out[name], full)
			if slices.Contains([]string{"begin", "confirm", "message", "signedout"}, name) { // without a user, too
				out[name] = append(out[name], base)
			}
		}
	}
	return out
}
