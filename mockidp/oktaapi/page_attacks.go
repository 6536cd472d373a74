package oktaapi

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

func attackPageRoutes(get, post pageRouter) {
	get("/attacks", func(v *visit) {
		f, fresh := v.faultForm(), mockidp.Fault{Kind: mockidp.Delay, Count: 1}
		v.attacksPage(http.StatusOK, f.view("", f.values(&fresh), nil))
	})
	get("/attack", func(v *visit) { v.attackPage(http.StatusOK, "") })
	post("/attack", (*visit).orderAttack)
	post("/attacks/off", func(v *visit) {
		if err := v.idp.SetMutation("", v.form.Get("app"), v.form.Get("user")); err != nil {
			v.fail(http.StatusConflict, sentence(plain(err)))
			return
		}
		v.to("/attacks", "off")
	})
	post("/attacks/all-off", func(v *visit) { v.idp.ClearMutations(); v.to("/attacks", "off") })
	post("/faults", (*visit).addFault)
	post("/faults/clear", func(v *visit) { v.idp.ClearFaults(v.form.Get("app")); v.to("/attacks", "cleared") })
}

// shownAttack is an attack that is switched on.
type shownAttack struct {
	mockidp.StandingMutation
	Of string // the users and the app whose responses it changes
}

func (v view) shownAttack(m mockidp.StandingMutation) shownAttack {
	of := "for " + cmp.Or(m.User, "all users")
	if m.App != "" {
		of += ", at " + v.label(m.App)
	}
	return shownAttack{m, of}
}

// attack is one of Config.Mutations.
type attack struct{ mockidp.MutationInfo }

// Link is the path of the attack's page.
func (a attack) Link() string { return "/attack?id=" + url.QueryEscape(a.ID) }

func (s *API) attacks() []attack {
	return shown(s.idp.Mutations(), func(m mockidp.MutationInfo) attack { return attack{m} })
}

// faultForm is the form of a new fault.
func (v *visit) faultForm() form[mockidp.Fault] {
	kinds := shown(mockidp.FaultKinds(), func(k mockidp.FaultKind) word[mockidp.FaultKind] {
		return word[mockidp.FaultKind]{k, faultTexts[k]}
	})
	apps := []word[string]{{"", "any app"}}
	for _, a := range v.samlApps() {
		apps = append(apps, word[string]{a.ID, a.Label})
	}
	return form[mockidp.Fault]{{inputs: []input[mockidp.Fault]{
		selectInput("kind", "Fault", "", kinds, func(f *mockidp.Fault) *mockidp.FaultKind { return &f.Kind }, "Fault.Kind"),
		selectInput("app", "App", "", apps, func(f *mockidp.Fault) *string { return &f.App }),
		intInput("count", "Responses", "How many it affects. 0: all.", func(f *mockidp.Fault) *int { return &f.Count },
			"Fault.Count"),
		durationInput("for", "Duration",
			"How long a delay is or a slow answer takes, or how far the time is off. Such as 3s or -1h.",
			func(f *mockidp.Fault) *time.Duration { return &f.For }, "Fault.For"),
		intInput("status", "HTTP status", "500 to 599. 0: 503.", func(f *mockidp.Fault) *int { return &f.Status },
			"Fault.Status"),
		floatInput("chance", "Probability", "From 0 to 1. 0: always.",
			func(f *mockidp.Fault) *float64 { return &f.Chance }, "Fault.Chance"),
		selectInput("endpoint", "Endpoint",
			"Select one for a delay, a closed connection or an error page there.", []word[mockidp.Endpoint]{
				{"", "all that the fault is for"}, {mockidp.EndpointAggregate, "Federation: all entities"},
				{mockidp.EndpointQuery, "Federation: queries for one entity"}, {mockidp.EndpointLogout, "Single logout"},
				{mockidp.EndpointArtifact, "Artifacts, by SOAP"}, {mockidp.EndpointAttributes, "Attribute queries"}},
			func(f *mockidp.Fault) *mockidp.Endpoint { return &f.Endpoint }, "Fault.Endpoint"),
		textInput("entity", "Entity ID", "In the federation. Empty: any.",
			func(f *mockidp.Fault) *string { return &f.Entity }, "Fault.Entity"),
		textInput("url", "Redirect to", "Empty: to the same address.", func(f *mockidp.Fault) *string { return &f.URL },
			"Fault.URL"),
	}}}
}

// faultTexts explains the kinds of faults.
var faultTexts = map[mockidp.FaultKind]string{
	mockidp.Delay: "The page is late", mockidp.DropConnection: "The connection is closed without an answer",
	mockidp.ServerError: "An error page instead", mockidp.CutPage: "The page ends in the middle of the form",
	mockidp.CutResponse: "The SAMLResponse is cut in half", mockidp.ClockSkew: "The times in the message are off",
	mockidp.WrongContentType: "The page is sent as text/plain", mockidp.DuplicatePost: "The message is posted twice",

	mockidp.MetadataSlow: "Federation: the metadata comes slowly", mockidp.MetadataCut: "Federation: half of the metadata",
	mockidp.MetadataAbort:   "Federation: the connection is closed halfway",
	mockidp.MetadataEndless: "Federation: without end", mockidp.MetadataBomb: "Federation: huge once decompressed",
	mockidp.MetadataHTML: "Federation: a page instead", mockidp.MetadataEmpty: "Federation: an empty document",
	mockidp.MetadataRedirect:     "Federation: a redirect",
	mockidp.MetadataNotModified:  "Federation: “not modified”, whatever the client has",
	mockidp.MetadataSameETag:     "Federation: one ETag for all documents",
	mockidp.MetadataOld:          "Federation: an older document",
	mockidp.MetadataExpired:      "Federation: an expired document",
	mockidp.MetadataNoValidUntil: "Federation: no validUntil",
	mockidp.MetadataLongValidity: "Federation: valid for 30 years",
	mockidp.MetadataUnsigned:     "Federation: no signature",
	mockidp.MetadataTampered:     "Federation: changed after signing",
	mockidp.MetadataOtherKey:     "Federation: signed with another key",
	mockidp.MetadataIdPKey:       "Federation: signed with the key of the apps",
	mockidp.MetadataBroken:       "Federation: an entity has a broken certificate",
	mockidp.MetadataDuplicate:    "Federation: an entity is there twice",
	mockidp.MetadataOtherEntity:  "Federation: a query is answered with another entity",
	mockidp.MetadataGroup:        "Federation: a query is answered with an EntitiesDescriptor",

	mockidp.LogoutUnsigned:          "Logout: no signature",
	mockidp.LogoutTampered:          "Logout: changed after signing",
	mockidp.LogoutOtherKey:          "Logout: signed with another key",
	mockidp.LogoutDestination:       "Logout: another Destination",
	mockidp.LogoutExpired:           "Logout: an expired request",
	mockidp.LogoutNoEnd:             "Logout: a request without NotOnOrAfter",
	mockidp.LogoutInResponseTo:      "Logout: an answer to no request",
	mockidp.LogoutCiphertext:        "Logout: a request with a broken EncryptedID",
	mockidp.LogoutEncryptedForOther: "Logout: a request with an EncryptedID for another key",
	mockidp.LogoutPartial:           "Logout: PartialLogout",
	mockidp.LogoutSilent:            "Logout: no answer",
	mockidp.ArtifactMalformed:       "Artifact: cut short",
	mockidp.ArtifactSource:          "Artifact: of another identity provider",
	mockidp.ArtifactNoIndex:         "Artifact: an endpoint that isn't in the metadata",
	mockidp.ArtifactAgain:           "Artifact: can be resolved once more",
	mockidp.ArtifactInResponseTo:    "Artifact: an answer to no request",
	mockidp.ArtifactIssuer:          "Artifact: another Issuer around the Response",
	mockidp.ArtifactOtherIdP:        "Artifact: a Response of another identity provider",
	mockidp.ArtifactStatus:          "Artifact: an error status around the Response",
	mockidp.ArtifactEmpty:           "Artifact: no Response",
	mockidp.ArtifactTwo:             "Artifact: two Responses",
	mockidp.ArtifactLogoutRequest:   "Artifact: a LogoutRequest instead",
	mockidp.ArtifactInside:          "Artifact: the Response was changed after signing",
	mockidp.ArtifactUnsigned:        "Artifact: no signature around the Response",
	mockidp.ArtifactTampered:        "Artifact: changed around the Response after signing",
	mockidp.ArtifactOtherKey:        "Artifact: signed with another key around the Response",
	mockidp.AttributesSubject:       "Attributes: about another user",
	mockidp.AttributesAudience:      "Attributes: for another service provider",
	mockidp.AttributesUnsigned:      "Attributes: no signature",
	mockidp.AttributesUnasked:       "Attributes: an answer to no query",
	mockidp.SOAPFault:               "SOAP: a Fault",
	mockidp.SOAPHTML:                "SOAP: a page instead",
	mockidp.SOAPRedirect:            "SOAP: a redirect",
	mockidp.SOAPSlow:                "SOAP: the answer comes slowly",
	mockidp.SOAPEndless:             "SOAP: without end",
	mockidp.SOAPType:                "SOAP: another Content-Type",
	mockidp.SOAPDoctype:             "SOAP: a DOCTYPE",
	mockidp.SOAPHeader:              "SOAP: a header that must be understood",
}

type attacksView struct {
	Standing []shownAttack
	Queued   []string
	Faults   []shownFault
	Fault    formView
	Any      bool // there are attacks to choose from
	Families []familyView
	Family   string // the filter
	List     listView
	Attacks  []familyView // those of the page, by family
}

type shownFault struct{ Text, App string }

// familyView is a family of attacks.
type familyView struct {
	Name    string
	Count   int
	Attacks []attack
}

func (v *visit) attacksPage(status int, fault formView) {
	v.shows("/attacks")
	all, q, family := v.attacks(), v.searchText(), v.r.URL.Query().Get("family")
	body := attacksView{Standing: shown(v.idp.StandingMutations(), v.shownAttack), Queued: v.idp.Queued().Mutations,
		Faults: shown(v.idp.Faults(), v.shownFault), Fault: fault, Any: len(all) > 0, Families: byFamily(all), Family: family}
	matching := slices.DeleteFunc(slices.Clone(all), func(a attack) bool {
		return family != "" && a.Family != family || !foundAll(q, a.Label()+" "+a.Family+" "+a.Reference)
	})
	var part []attack
	part, body.List = shownPage(v, matching, len(all))
	body.Attacks = byFamily(part)
	v.render(status, "attacks", page{Title: "Attacks and faults", Here: "/attacks", Live: true, Body: body})
}

// byFamily groups attacks, in their order.
func byFamily(list []attack) []familyView {
	var out []familyView
	for _, a := range list {
		i := slices.IndexFunc(out, func(f familyView) bool { return f.Name == a.Family })
		if i < 0 {
			i = len(out)
			out = append(out, familyView{Name: a.Family})
		}
		out[i].Count++
		out[i].Attacks = append(out[i].Attacks, a)
	}
	return out
}

func (v view) shownFault(f mockidp.Fault) shownFault {
	text := cmp.Or(faultTexts[f.Kind], string(f.Kind))
	if f.For != 0 {
		slow := f.Kind == mockidp.MetadataSlow || f.Kind == mockidp.SOAPSlow
		text += map[bool]string{true: " within ", false: " by "}[slow] + f.For.String()
	}
	if f.Status != 0 {
		text += ", status " + strconv.Itoa(f.Status)
	}
	if f.App != "" {
		text += ", at " + v.label(f.App)
	}
	for _, of := range []string{string(f.Endpoint), f.Entity, f.URL} {
		if of != "" {
			text += ", " + of
		}
	}
	if f.Chance != 0 {
		text += fmt.Sprintf(", probability %v", f.Chance)
	}
	return shownFault{App: f.App, Text: text + map[bool]string{true: ", always",
		false: ", " + strconv.Itoa(f.Count) + " more"}[f.Count == 0]}
}

func (v *visit) addFault() {
	f := v.faultForm()
	var fault mockidp.Fault
	err := f.apply(&fault, v.form)
	if err == nil {
		err = v.idp.Inject(fault)
	}
	if err != nil {
		v.attacksPage(http.StatusUnprocessableEntity, f.view("", v.form, f.place(err)))
		return
	}
	v.to("/attacks", "on")
}

type attackView struct {
	attack
	Apps []mockidp.App
	Same []attack // of the same row of the catalogue
}

// attackPage shows one attack, and the forms that queue it or switch it on.
func (v *visit) attackPage(status int, problem string) {
	id, all := cmp.Or(v.form.Get("attack"), v.r.URL.Query().Get("id")), v.attacks()
	i := slices.IndexFunc(all, func(a attack) bool { return a.ID == id })
	if i < 0 {
		v.notFound("attack")
		return
	}
	v.shows(all[i].Link())
	row, _, _ := strings.Cut(id, "/")
	body := attackView{attack: all[i], Apps: v.samlApps(), Same: slices.DeleteFunc(slices.Clone(all), func(a attack) bool {
		other, _, _ := strings.Cut(a.ID, "/")
		return other != row || a.ID == id
	})}
	v.render(status, "attack", page{Title: id, Here: "/attacks", Problem: problem, Body: body})
}

func (v *visit) orderAttack() {
	id, app, user := v.form.Get("attack"), v.form.Get("app"), strings.TrimSpace(v.form.Get("user"))
	var err error
	note := "queued"
	if v.form.Get("do") == "on" {
		err, note = v.idp.SetMutation(id, app, user), "on"
	} else {
		err = v.idp.QueueMutation(id, app, user)
	}
	if err != nil {
		v.attackPage(http.StatusUnprocessableEntity, sentence(plain(err)))
		return
	}
	v.to("/attacks", note)
}
