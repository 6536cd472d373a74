package oktaapi

import (
	"net/http"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// maxSuggested is how many users or groups a page suggests for an input.
const maxSuggested = 100

// queueable lists the second-level status codes that the page offers.
var queueable = []string{
	mockidp.StatusAuthnFailed, mockidp.StatusRequestDenied, mockidp.StatusNoAuthnContext, mockidp.StatusNoPassive,
	mockidp.StatusInvalidNameIDPolicy, mockidp.StatusRequestUnsupported, mockidp.StatusUnknownPrincipal,
}

func overviewRoutes(get, post pageRouter) {
	get("/{$}", func(v *visit) { v.overview(http.StatusOK, "") })
	action := func(path, note string, do func(*visit) error) {
		post(path, func(v *visit) {
			if err := do(v); err != nil {
				v.overview(http.StatusUnprocessableEntity, sentence(plain(err)))
				return
			}
			v.to("/", note)
		})
	}
	action("/clock", "advanced", func(v *visit) error {
		d, err := parseDuration(v.form.Get("by"))
		if err == nil {
			v.idp.Advance(d)
		}
		return err
	})
	action("/queue/user", "queued", func(v *visit) error { return v.idp.QueueUser(v.form.Get("user")) })
	action("/queue/error", "queued", func(v *visit) error {
		status := mockidp.Status{SubCode: v.form.Get("status"), Message: v.form.Get("message")}
		return v.idp.QueueError(v.form.Get("app"), status)
	})
	action("/queue/clear", "cleared", func(v *visit) error { v.idp.ClearQueue(); return nil })
	get("/reset", func(v *visit) {
		v.confirm("/", "Reset everything?", confirmView{Action: "/reset", Button: "Reset", Back: "/",
			Text:  "The identity provider goes back to the configuration that it started with. This can't be undone.",
			Items: []string{"Users, groups, apps and keys that were added or changed", "Messages", "Sessions", "The clock"}})
	})
	action("/reset", "reset", func(v *visit) error { v.idp.Reset(); return nil })
}

type overviewView struct {
	Now, Offset, SignIn                      string
	Locked                                   lockedView
	QueuedUsers, QueuedErrors, QueuedAttacks []string
	Standing                                 []shownAttack
	Faults                                   []shownFault
	Messages                                 []messageRow
	MessageCount                             int
	Apps, SAMLApps                           []mockidp.App
	Users                                    []mockidp.User // suggested
	AppCount, UserCount, GroupCount          int
	Statuses                                 []string
	Refused, Problem                         string // the path and the problem of the form that was refused
}

func (v *visit) overview(status int, problem string) {
	v.shows("/")
	q, users, all := v.idp.Queued(), v.Users(), v.idp.Messages()
	slices.Reverse(all) // newest first
	body := overviewView{
		Now: v.idp.Now().UTC().Format("2006-01-02 15:04 UTC"), SignIn: v.idp.SignInURL(), Locked: locked(users),
		QueuedUsers: q.Users, QueuedAttacks: q.Mutations,
		QueuedErrors: shown(q.Errors, func(e mockidp.QueuedError) string {
			return v.label(e.App) + ": " + shortStatus(e.Status)
		}),
		Standing: shown(v.idp.StandingMutations(), v.shownAttack), Faults: shown(v.idp.Faults(), v.shownFault),
		Messages: shown(all[:min(10, len(all))], v.messageRow), MessageCount: len(all),
		SAMLApps: v.samlApps(), AppCount: len(v.Apps()), UserCount: len(users), GroupCount: len(v.allGroups()),
		Users: users[:min(maxSuggested, len(users))], Statuses: queueable,
		Refused: v.r.URL.Path, Problem: problem,
	}
	if d := v.idp.ClockOffset().Round(time.Second); d != 0 {
		body.Offset = d.String()
	}
	v.render(status, "overview", page{Title: "Overview", Here: "/", Live: true, Body: body})
}

func (v view) samlApps() []mockidp.App {
	return slices.DeleteFunc(v.Apps(), func(a mockidp.App) bool { return a.Kind != mockidp.SAML })
}

// lockedView is the notice about users who are locked out.
type lockedView struct {
	Users []mockidp.User // the first ones
	More  int
}

func locked(users []mockidp.User) lockedView {
	list := slices.DeleteFunc(slices.Clone(users), func(u mockidp.User) bool { return u.Status != mockidp.LockedOut })
	first := list[:min(3, len(list))]
	return lockedView{first, len(list) - len(first)}
}
