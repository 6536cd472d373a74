package portal_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/awsnames"
	"github.com/meridian-saml/meridian/portal/center"
)

const (
	adminAccount = "999999999999"
	mrk          = "arn:aws:kms:us-east-1:999999999999:key/mrk-0123456789abcdef0123456789abcdef"
	addPage      = "https://" + virginia + "/operator/regions/add"
	regionPages  = "https://" + virginia + "/operator/regions/"
)

// admins is a world whose operator, bob, may add Regions. The key has a copy in Tokyo and Dublin.
type admins struct {
	*world
	peers   *heard
	audits  audits
	bob     *browser
	changed []center.Region // what Changed got
	failing error           // of Changed
}

func newAdmins(t *testing.T, change func(*center.Data)) *admins {
	t.Helper()
	d, a := data(), &admins{audits: newAudits(t), peers: &heard{}}
	d.Instance = center.InstanceMetadata{OwnerAccountID: adminAccount, Encryption: center.Encryption{
		KeyType: center.KeyCustomerManaged, KeyARN: mrk,
	}}
	if change != nil {
		change(&d)
	}
	names := awsnames.Instance{Primary: "us-east-1", InstanceID: "ssoins-7223aaaabbbbcccc", TenantID: "4455"}
	a.world, _ = newSharedOf(t, d, func(c *portal.Config) {
		bobOperates(c)
		a.audits.edit(c)
		c.RegionAdmin = &portal.RegionAdmin{
			Control: &center.Control{View: c.Directory.(*center.View), Admission: center.Admission{
				Key: func(_ context.Context, _, region string) error {
					if region == "ap-northeast-1" || region == "eu-west-1" {
						return nil
					}
					return errors.New("KMS_NotFoundException")
				},
			}},
			Account: adminAccount,
			Addresses: func(region string) (r center.Region, err error) {
				if r.PortalURLs, err = names.PortalURLs(region); err == nil {
					r.ACSURLs, err = names.ACSURLs(region)
				}
				return r, err
			},
			Changed: func(_ context.Context, r center.Region) error {
				a.changed = append(a.changed, r)
				return a.failing
			},
		}
		c.Replication = a.peers
	})
	a.bob = a.browser()
	a.signIn(a.bob, "https://"+virginia+"/", "bob@example.com")
	return a
}

// update changes the instance in the primary.
func (a *admins) update(change func(*center.Tx) error) {
	a.t.Helper()
	v, err := a.inst.In("us-east-1")
	require.NoError(a.t, err)
	require.NoError(a.t, v.Update(change))
}

func (a *admins) add(region string) answer {
	return a.bob.submit(addPage, url.Values{"region": {region}})
}

// Rules 17, 18, 19, 27, 32, 36, 37, 40 and 44: an operator reads the checklist, chooses a Region, confirms, watches it
// replicate, and gets its URLs with the tasks that remain at the identity provider.
func TestRule17OperatorsAddARegion(t *testing.T) {
	a := newAdmins(t, nil)
	p := a.bob.click("https://" + virginia + "/operator")
	assert.Contains(t, p.body, `href="/operator/regions/add"`)
	p = a.bob.click(addPage)
	requirePage(t, p, 200, "/operator/regions/add", "Prerequisites", "Choose a Region", `value="ap-northeast-1"`,
		`value="eu-west-1"`, "Regions that can't be added now", "sa-east-1", "no replica that can be used")
	assert.Equal(t, 3, strings.Count(p.body, `class="met"`))
	assert.NotContains(t, p.body, `value="sa-east-1"`)
	assert.Less(t, strings.Index(p.body, "eu-west-1"), strings.Index(p.body, "ap-northeast-1"), "the nearest one is first")
	assert.NotContains(t, p.body, `value="eu-central-1"`, "it is there")

	p = a.bob.click(addPage + "?region=ap-northeast-1")
	requirePage(t, p, 200, "/operator/regions/add?region=ap-northeast-1", "Add Tokyo (ap-northeast-1)?",
		"https://ap-northeast-1.sso.signin.aws/platform/saml/acs/4455", "Identity data is stored in that Region")
	require.Empty(t, a.changed, "nothing is added before the operator confirms")

	p = a.add("ap-northeast-1")
	require.Len(t, a.changed, 1, p.body)
	assert.Equal(t, center.RegionAdding, a.changed[0].Status)
	begun, _ := a.audits.lines("us-east-1", audit.Access, 1)
	assert.Equal(t, []center.Actor{{UserID: "bob@example.com", Session: begun[0].Identity.CredentialID}}, a.actors.all)
	requirePage(t, p, 200, "/operator/regions/ap-northeast-1", "Replicating", "ADDING", "has not asked for data yet")
	assert.Equal(t, "3; url=/operator/regions/ap-northeast-1?reload=auto", p.Header.Get("Refresh"))
	a.clock.Advance(2 * time.Minute)
	a.peers.set(portal.Peer{Region: "ap-northeast-1", Copied: 10, ToCopy: 30})
	p = a.bob.click(regionPages + "ap-northeast-1")
	requirePage(t, p, 200, "/operator/regions/ap-northeast-1", "10 of 30 elements", "about 4 minutes left")

	a.update(func(tx *center.Tx) error { return tx.ActivateRegion("ap-northeast-1") })
	a.peers.set(portal.Peer{Region: "ap-northeast-1", State: portal.PeerReplicated, Heard: a.clock.Now()})
	p = a.bob.click(regionPages + "ap-northeast-1")
	requirePage(t, p, 200, "/operator/regions/ap-northeast-1", "Replicated", "ACTIVE", "Remaining tasks",
		"<dt>Index 1", "<dt>Index 2", "Other Requestable SSO URLs", "Reply URL (Assertion Consumer Service URL)",
		"Index 0, Default",
		`<dd id="bookmark-name">Meridian access portal – Tokyo (ap-northeast-1)</dd>`,
		`<dd id="bookmark-url" class="mono">https://ssoins-7223aaaabbbbcccc.ap-northeast-1.portal.amazonaws.com</dd>`,
		"ssoins-7223aaaabbbbcccc.portal.ap-northeast-1.app.aws",
		"Dual-stack (IPv4 and IPv6)", "portal.sso.ap-northeast-1.amazonaws.com", `data-copy="region-acs"`)
	assert.Empty(t, p.Header.Get("Refresh"))
	assert.NotContains(t, p.body, "awsapps.com", "Rules 30 and 31")
	first := strings.Index(p.body, "<dt>Single sign-on URL</dt>")
	require.Positive(t, first)
	assert.Contains(t, p.body[first:first+200], virginia, "Rule 36: the primary's URL stays first")
	primary := a.bob.click(regionPages + "us-east-1")
	requirePage(t, primary, 200, "/operator/regions/us-east-1", "Primary")
	assert.NotContains(t, primary.body, "Remove Region")
	assert.NotContains(t, primary.body, "Remaining tasks")
	requirePage(t, a.bob.click(regionPages+"mars-1"), 404, "/operator/regions/mars-1", "Not found")

	changes, _ := a.audits.lines("us-east-1", audit.Changes, 1)
	require.Equal(t, []string{"AddRegion"}, eventNames(changes))
	assert.Equal(t, "bob@example.com", changes[0].Identity.UserName)
	assert.Equal(t, "ap-northeast-1", changes[0].Request["regionName"])
	assert.Equal(t, "ADDING", changes[0].Response["status"])
}

// Rules 1 to 6, 9, 10 and 11: the checklist has the reason why each prerequisite isn't met and what to do, of the same
// conditions that refuse the POST.
func TestRule17PagesSayWhyARegionCantBeAdded(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*center.Data)
		region string
		reason center.Reason
		says   []string
		met    int
	}{
		"an opt-in Region": {nil, "eu-south-1", center.ReasonOptInRegion, []string{"opt in", "Choose one of the listed"}, 3},
		"no Region":        {nil, "mars-1", center.ReasonUnsupportedRegion, []string{"no commercial Region"}, 3},
		"no replica key": {nil, "sa-east-1", center.ReasonKeyReplica,
			[]string{"KMS_NotFoundException", "create a replica key"}, 3},
		"one that is there": {nil, "eu-central-1", center.ReasonConflict, []string{"has this Region already"}, 3},
		"a policy": {func(d *center.Data) { d.Instance.OwnerAccountID = "888888888888" }, "eu-west-1",
			center.ReasonCaller, []string{"may not administer"}, 3},
		"no key": {func(d *center.Data) { d.Instance.Encryption = center.Encryption{} }, "eu-west-1",
			center.ReasonKeyType, []string{"customer managed key", "No Region can be added until"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAdmins(t, tt.change)
			p := a.add(tt.region)
			requirePage(t, p, http.StatusUnprocessableEntity, "/operator/regions/add", tt.says...)
			assert.Contains(t, p.body, tt.region)
			assert.Equal(t, tt.met, strings.Count(p.body, `class="met"`))
			q := a.bob.click(addPage + "?region=" + tt.region)
			requirePage(t, q, http.StatusUnprocessableEntity, "/operator/regions/add?region="+tt.region, tt.says...)
			assert.NotContains(t, q.body, `type="hidden" name="region"`, "nothing to confirm")
			assert.Empty(t, a.changed)
			changes, _ := a.audits.lines("us-east-1", audit.Changes, 1)
			assert.Equal(t, []string{"AddRegion " + string(tt.reason)}, eventNames(changes))
		})
	}
}

// The page of a Region that is being added loads itself again. That keeps no operator signed in who does nothing, and
// signs in none: at the end of the session the page says so, and the sign-in waits for a click.
func TestPagesThatLoadThemselvesAreNoUseOfTheSession(t *testing.T) {
	a := newAdmins(t, nil)
	p := a.add("ap-northeast-1")
	for range 5 {
		a.clock.Advance(11 * time.Minute)
		p = a.bob.refresh(p)
		requirePage(t, p, 200, "/operator/regions/ap-northeast-1?reload=auto", "Replicating")
	}
	used := *a.bob.copy()
	a.clock.Advance(4 * time.Minute)
	requirePage(t, used.click(regionPages+"ap-northeast-1"), 200, "/operator/regions/ap-northeast-1")
	a.clock.Advance(6 * time.Minute)
	requirePage(t, a.bob.refresh(p), 200, "/operator/regions/ap-northeast-1?reload=auto", "Replicating")

	a.clock.Advance(54*time.Minute + time.Second) // an hour after the click
	requirePage(t, a.bob.refresh(p), 200, "/signed-out", `href="/login"`)
	requireAtIdP(t, a.world, a.bob.click(regionPages+"ap-northeast-1"))
}

// The query of a page that loads itself hides no use of a session at other pages, such as that of a stolen one.
func TestOnlyThePageOfARegionLoadsItself(t *testing.T) {
	w, s := newShared(t, bobOperates)
	b, at := w.browser(), "https://"+virginia
	w.signIn(b, at+"/", "bob@example.com")
	use := func(request func()) {
		w.clock.Advance(10 * time.Minute)
		request()
		list, err := s.sessions.List(t.Context(), "bob@example.com")
		require.NoError(t, err)
		require.Len(t, list, 1)
		assert.WithinDuration(t, w.clock.Now(), list[0].Seen, time.Second)
	}
	for _, path := range []string{"/", "/sessions", "/operator/people", "/operator"} {
		use(func() { requirePage(t, b.click(at+path+"?reload=auto"), 200, path+"?reload=auto") })
	}
	use(func() { b.submit(at+"/favorites?reload=auto", nil) })
	requireAtIdP(t, w, w.browser().click(at+"/sessions?reload=auto"))
}

// Each reason because of which a Region can't be added or removed has a text.
func TestEveryReasonOfTheControlPlaneHasAText(t *testing.T) {
	for _, reason := range []center.Reason{
		center.ReasonNotPrimary, center.ReasonPrimaryFixed, center.ReasonNotFound, center.ReasonQuota, center.ReasonCaller,
		center.ReasonConflict, center.ReasonAccountInstance, center.ReasonActiveDirectory, center.ReasonOwnDirectory,
		center.ReasonOptInRegion, center.ReasonUnsupportedRegion, center.ReasonResidency, center.ReasonKeyType,
		center.ReasonSingleRegionKey, center.ReasonKeyReplica, center.ReasonApplications,
	} {
		assert.True(t, portal.Explains(reason), reason)
	}
}

// Rule 78: removal warns of the applications that live in the Region, and needs its name to be typed. The list that is
// accepted is the one that was shown. The primary stays.
func TestRule78OperatorsRemoveARegion(t *testing.T) {
	a := newAdmins(t, nil)
	page := regionPages + "eu-central-1/remove"
	p := a.bob.click(page)
	requirePage(t, p, 200, "/operator/regions/eu-central-1/remove", "What ends", "Farm", "They end with it",
		"All identity data is erased there")
	assert.NotContains(t, p.body, "Wiki", "it lives in the primary")
	f := acceptOn(t, p)
	for typed, says := range map[string]string{
		"": "not the name", "eu-central-2": "not the name", "EU-CENTRAL-1": "not the name",
	} {
		p = a.bob.submit(page, url.Values{"confirm": {typed}, "accept": {f}})
		requirePage(t, p, http.StatusUnprocessableEntity, "/operator/regions/eu-central-1/remove", says)
	}
	eu, err := a.inst.In("eu-central-1")
	require.NoError(t, err)
	require.NoError(t, eu.Update(func(tx *center.Tx) error {
		return tx.PutApplication(center.Application{Name: "Barn", URL: "https://barn.example", Region: "eu-central-1"})
	}))
	p = a.bob.submit(page, url.Values{"confirm": {"eu-central-1"}, "accept": {f}})
	requirePage(t, p, 422, "/operator/regions/eu-central-1/remove", "have changed meanwhile", "Barn")
	require.Empty(t, a.changed)

	p = a.bob.submit(page, url.Values{"confirm": {"eu-central-1"}, "accept": {acceptOn(t, p)}})
	require.Len(t, a.changed, 1, p.body)
	assert.Equal(t, center.RegionRemoving, a.changed[0].Status)
	requirePage(t, p, 200, "/operator/regions/eu-central-1", "Removing", "REMOVING", "erased next")
	assert.Equal(t, "3; url=/operator/regions/eu-central-1?reload=auto", p.Header.Get("Refresh"))
	requirePage(t, a.add("eu-west-1"), 422, "/operator/regions/add", "being added or removed", "eu-central-1, REMOVING")
	requirePage(t, a.bob.click(page), 422, "/operator/regions/eu-central-1/remove", "being added or removed")
	a.update(func(tx *center.Tx) error { return tx.EndRemoval("eu-central-1") })
	requirePage(t, a.bob.click(regionPages+"eu-central-1"), 404, "/operator/regions/eu-central-1",
		"not one of the instance", "Meridian access portal – Frankfurt (eu-central-1)")
	requirePage(t, a.bob.click(page), 404, "/operator/regions/eu-central-1/remove", "Not found")

	primary := regionPages + "us-east-1/remove"
	requirePage(t, a.bob.click(primary), 422, "/operator/regions/us-east-1/remove", "never removed")
	p = a.bob.submit(primary, url.Values{"confirm": {"us-east-1"}, "accept": {f}})
	requirePage(t, p, 422, "/operator/regions/us-east-1/remove", "never removed")
	changes, _ := a.audits.lines("us-east-1", audit.Changes, 1)
	assert.Equal(t, []string{"RemoveRegion", "AddRegion Conflict", "RemoveRegion PrimaryFixed"}, eventNames(changes))
}

func acceptOn(t *testing.T, p answer) string {
	t.Helper()
	_, rest, ok := strings.Cut(p.body, `name="accept" value="`)
	require.True(t, ok, p.body)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// Rule 22: in an additional Region the pages that change Regions name the primary and lead to the same page there.
func TestRule22AdditionalRegionsLeadToThePrimary(t *testing.T) {
	a := newAdmins(t, nil)
	b := a.browser()
	a.signIn(b, "https://"+frankfurt+"/", "bob@example.com")
	for _, path := range []string{"/operator/regions/add", "/operator/regions/eu-central-1/remove"} {
		for _, p := range []answer{
			b.click("https://" + frankfurt + path),
			b.submit("https://"+frankfurt+path, url.Values{"region": {"eu-west-1"}, "confirm": {"eu-central-1"}}),
		} {
			requirePage(t, p, http.StatusForbidden, path, "added and removed in the primary Region, us-east-1",
				`href="https://`+virginia+path+`?from=eu-central-1"`)
		}
	}
	p := b.click("https://" + frankfurt + "/operator")
	assert.NotContains(t, p.body, "/operator/regions/add")
	p = b.click("https://" + frankfurt + "/operator/regions/eu-central-1")
	requirePage(t, p, 200, "/operator/regions/eu-central-1", "Replicated", "Remaining tasks")
	assert.NotContains(t, p.body, "/remove")
	assert.Empty(t, a.changed)
	changes, _ := a.audits.lines("eu-central-1", audit.Changes, 2)
	assert.Equal(t, []string{"AddRegion NotPrimary", "RemoveRegion NotPrimary"}, eventNames(changes))
}

// Only operators have the pages, and only the portal's own pages post to them.
func TestPagesOfRegionsAreForOperators(t *testing.T) {
	a := newAdmins(t, nil)
	alice := a.browser()
	a.signIn(alice, "https://"+virginia+"/", "alice@example.com")
	for _, path := range []string{
		"/operator/regions/add", "/operator/regions/eu-central-1", "/operator/regions/eu-central-1/remove",
	} {
		requirePage(t, alice.click("https://"+virginia+path), 404, path, "Not found")
		if !strings.HasSuffix(path, "eu-central-1") {
			values := url.Values{"region": {"eu-west-1"}, "confirm": {"eu-central-1"}}
			requirePage(t, alice.submit("https://"+virginia+path, values), 404, path, "Not found")
			require.Equal(t, 403, a.bob.send("POST", "https://"+virginia+path, "cross-site", values).StatusCode)
		}
	}
	requirePage(t, a.bob.submit(addPage, url.Values{}), 400, "/operator/regions/add", "Bad request")
	assert.Empty(t, a.changed)
	r, _ := a.inst.Snapshot().Region("eu-central-1")
	assert.True(t, r.Active())
	assert.Len(t, a.inst.Snapshot().Regions(), 2)
}

// The instance has changed, also if the program could not begin. The page says so.
func TestProgramThatCantBeginIsShown(t *testing.T) {
	a := newAdmins(t, nil)
	a.failing = errors.New("no disk")
	requirePage(t, a.add("eu-west-1"), 500, "/operator/regions/add", "needs attention", "/operator/regions/eu-west-1")
	assert.Contains(t, a.logged(), "no disk")
	r, ok := a.inst.Snapshot().Region("eu-west-1")
	assert.True(t, ok)
	assert.Equal(t, center.RegionAdding, r.Status)
}
