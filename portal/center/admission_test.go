package center_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/keys"
)

const (
	owner     = "999999999999"
	delegate  = "888888888888"
	multiKey  = "arn:aws:kms:us-east-1:999999999999:key/mrk-0123456789abcdef0123456789abcdef"
	singleKey = "arn:aws:kms:us-east-1:999999999999:key/01234567-89ab-cdef-0123-456789abcdef"
)

// admissible is an instance that may have additional Regions.
func admissible(regions ...string) center.Data {
	d := center.Data{Instance: center.InstanceMetadata{OwnerAccountID: owner,
		Encryption: center.Encryption{KeyType: center.KeyCustomerManaged, KeyARN: multiKey}}}
	for _, r := range append([]string{"us-east-1"}, regions...) {
		d.Regions = append(d.Regions, center.Region{Name: r})
	}
	return d
}

func everyKey(context.Context, string, string) error { return nil }

// Who makes a change of Regions is named to the Journal, and decides nothing. Each text is cut.
func TestRule71UpdatesNameTheirActor(t *testing.T) {
	j := &journal{}
	inst, err := center.NewJournaled(admissible(), j)
	require.NoError(t, err)
	v, err := inst.In("us-east-1")
	require.NoError(t, err)
	c, who := &center.Control{View: v, Admission: center.Admission{Key: everyKey}}, administrator
	who.Actor = center.Actor{UserID: "u-1", Session: "s-1"}
	_, err = c.AddRegion(t.Context(), who, center.Region{Name: "eu-central-1"})
	require.NoError(t, err)
	_, err = c.RemoveRegion(who, "eu-central-1")
	require.NoError(t, err)
	require.NoError(t, v.Update(func(tx *center.Tx) error { return tx.EndRemoval("eu-central-1") }))
	j.refuse = []error{center.ErrConflict}
	require.NoError(t, v.Update(func(tx *center.Tx) error {
		tx.By(center.Actor{Client: strings.Repeat("x", 255) + "é"})
		return tx.PutAccount(center.Account{ID: "555566667777", Name: "New"})
	}))
	assert.Equal(t, []center.Actor{who.Actor, who.Actor, {}, {Client: strings.Repeat("x", 255)}}, j.by)
}

func controlOf(t *testing.T, d center.Data) *center.Control {
	t.Helper()
	return supporting(t, d, nil)
}

// supporting is controlOf for an instance with Config.Support.
func supporting(t *testing.T, d center.Data, support func(center.Application) center.AppSupport) *center.Control {
	t.Helper()
	inst, err := center.Open(center.Config{Data: d, Support: support})
	require.NoError(t, err)
	v, err := inst.In(d.Regions[0].Name)
	require.NoError(t, err)
	return &center.Control{View: v, Admission: center.Admission{Key: everyKey}, Delegated: delegate}
}

var administrator = center.Caller{Account: owner, Region: "us-east-1", Administrator: true}

// Rules 1, 2, 3, 4, 9, 10 and 17: what the instance must be before AddRegion adds a Region, each with its own reason.
// The one that is all of it gets the Region, as ADDING.
func TestRule17RegionsAreAddedUnderConditions(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*center.Data)
		want   center.Reason
	}{
		"all conditions hold": {func(*center.Data) {}, ""},
		"an account instance": {func(d *center.Data) { d.Instance.Kind = center.InstanceAccount },
			center.ReasonAccountInstance},
		"Active Directory": {func(d *center.Data) { d.Instance.IdentitySource = center.SourceActiveDirectory },
			center.ReasonActiveDirectory},
		"the instance's own directory": {func(d *center.Data) { d.Instance.IdentitySource = center.SourceDirectory },
			center.ReasonOwnDirectory},
		"an opt-in primary": {func(d *center.Data) { d.Regions[0].Name = "me-south-1" }, center.ReasonOptInRegion},
		"a primary in another partition": {func(d *center.Data) { d.Regions[0].Name = "cn-north-1" },
			center.ReasonUnsupportedRegion},
		"a key that isn't said": {func(d *center.Data) { d.Instance.Encryption = center.Encryption{} },
			center.ReasonKeyType},
		"AWS's key": {func(d *center.Data) {
			d.Instance.Encryption = center.Encryption{KeyType: center.KeyOwnedByAWS}
		}, center.ReasonKeyType},
		"a key whose change failed": {func(d *center.Data) {
			d.Instance.Encryption.Status = center.EncryptionUpdateFailed
		}, center.ReasonKeyType},
		"a single-Region key": {func(d *center.Data) { d.Instance.Encryption.KeyARN = singleKey },
			center.ReasonSingleRegionKey},
	} {
		d := admissible()
		tt.change(&d)
		c, who := controlOf(t, d), administrator
		who.Region = d.Regions[0].Name
		status, err := c.AddRegion(t.Context(), who, center.Region{Name: "eu-central-1", Status: center.RegionActive})
		require.Equal(t, tt.want, reasonOf(t, err), name)
		r, added := c.View.Snapshot().Region("eu-central-1")
		require.Equal(t, tt.want == "", added, name)
		if added {
			assert.Equal(t, center.RegionAdding, status)
			assert.Equal(t, center.RegionAdding, r.Status)
			assert.Equal(t, "Frankfurt (eu-central-1)", r.Label)
			assert.False(t, r.AddedDate.IsZero())
			continue
		}
		assert.Equal(t, "ValidationException", reasonOf(t, err).Exception(), name)
		for _, one := range c.Candidates(t.Context(), c.View.Snapshot()) {
			assert.Equal(t, tt.want, reasonOf(t, one.Err), "%s: %s", name, one.Place.Name)
		}
		var unmet []center.Reason
		for _, one := range c.Prerequisites(c.View.Snapshot()) {
			if one.Err != nil {
				unmet = append(unmet, reasonOf(t, one.Err))
			}
		}
		assert.Equal(t, []center.Reason{tt.want}, unmet, name)
	}
}

// Rules 1, 6 and 9: the checklist has each prerequisite with its own reason, also where AddRegion has only the first.
func TestRule17PrerequisitesAreCheckedOneByOne(t *testing.T) {
	d := admissible()
	d.Instance.Kind, d.Instance.Encryption = center.InstanceAccount, center.Encryption{KeyType: center.KeyOwnedByAWS}
	d.Applications = []center.Application{{Name: "Old", URL: "https://old.example", Region: "us-east-1"}}
	c := supporting(t, d, func(center.Application) center.AppSupport { return center.AppSupport{} })
	all := c.Prerequisites(c.View.Snapshot())
	require.Len(t, all, 3)
	for i, want := range []center.Requirement{
		{Prerequisite: center.PrerequisiteInstance}, {Prerequisite: center.PrerequisiteKey},
		{Prerequisite: center.PrerequisiteApplications},
	} {
		assert.Equal(t, want.Prerequisite, all[i].Prerequisite)
		reason := []center.Reason{center.ReasonAccountInstance, center.ReasonKeyType, center.ReasonApplications}[i]
		assert.Equal(t, reason, reasonOf(t, all[i].Err))
	}
	assert.Equal(t, all[0].Err, c.Instance(c.View.Snapshot()), "the first is the reason of AddRegion")
}

// Rules 4, 5, 18 and 72: exactly the 17 Regions that are enabled by default may be added, unless the policy of
// residency excludes them. Those with a copy of the key and not added yet are available, and each other one has its
// reason.
func TestRule18AvailableRegions(t *testing.T) {
	var names []string
	for _, p := range center.Places() {
		names = append(names, p.Name)
	}
	assert.Equal(t, []string{"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
		"ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
		"us-east-1", "us-east-2", "us-west-1", "us-west-2"}, names)
	c := controlOf(t, admissible("ap-south-1"))
	residency := func(regions ...string) {
		require.NoError(t, c.View.Update(func(tx *center.Tx) error { return tx.SetResidency(regions) }))
	}
	residency("eu-central-1", "eu-west-1", "ap-south-1", "us-east-1")
	missing := errors.New("no copy")
	c.Key = func(_ context.Context, arn, region string) error {
		assert.Equal(t, multiKey, arn)
		if region == "eu-west-1" {
			return missing
		}
		return nil
	}
	for _, one := range c.Candidates(t.Context(), c.View.Snapshot()) {
		want := center.ReasonResidency
		switch one.Place.Name {
		case "eu-central-1":
			want = ""
		case "eu-west-1":
			want = center.ReasonKeyReplica
			assert.ErrorIs(t, one.Err, missing)
		case "ap-south-1", "us-east-1":
			want = center.ReasonConflict
		}
		assert.Equal(t, want, reasonOf(t, one.Err), one.Place.Name)
	}
	residency()
	for region, want := range map[string]center.Reason{
		"me-central-1": center.ReasonOptInRegion, "ap-south-2": center.ReasonOptInRegion,
		"af-south-1": center.ReasonOptInRegion, "mx-central-1": center.ReasonOptInRegion,
		"cn-north-1": center.ReasonUnsupportedRegion, "us-gov-west-1": center.ReasonUnsupportedRegion,
		"eusc-de-east-1": center.ReasonUnsupportedRegion, "": center.ReasonUnsupportedRegion,
		"EU-CENTRAL-1": center.ReasonUnsupportedRegion, "us-east-1": center.ReasonConflict, "us-east-2": "",
	} {
		assert.Equal(t, want, reasonOf(t, c.Region(t.Context(), c.View.Snapshot(), region)), region)
	}
	assert.Equal(t, center.ReasonKeyReplica, reasonOf(t,
		center.Admission{}.Region(t.Context(), c.View.Snapshot(), "us-east-2")), "the zero value")
}

// Rules 11 and 14: a Region needs a copy of the key that may be used there, before it is added. The refusal has the
// reason of the key.
func TestRule11TheKeyIsReplicatedFirst(t *testing.T) {
	rings := map[string]*keys.Ring{}
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		r, err := keys.CreateRing(keys.RingConfig{Path: filepath.Join(t.TempDir(), "ring"), Region: region,
			Key: make([]byte, 32)})
		require.NoError(t, err)
		rings[region] = r
	}
	key, err := rings["us-east-1"].Create(keys.KeyConfig{Policy: keys.Allow("portal")})
	require.NoError(t, err)
	d := admissible()
	d.Instance.Encryption.KeyARN = "arn:aws:kms:us-east-1:" + owner + ":key/" + key.ID
	c := controlOf(t, d)
	c.Key = func(_ context.Context, arn, region string) error {
		return rings[region].Use(arn[len(arn)-len(key.ID):], "portal").Usable()
	}
	refused := func(want keys.Reason) {
		t.Helper()
		_, err := c.AddRegion(t.Context(), administrator, center.Region{Name: "eu-central-1"})
		require.Equal(t, center.ReasonKeyReplica, reasonOf(t, err))
		got, _ := keys.Refused(err)
		require.Equal(t, want, got)
	}
	frankfurt := rings["eu-central-1"]
	refused(keys.ReasonNotFound)
	_, err = rings["us-east-1"].Replicate(key.ID, frankfurt, &keys.Policy{})
	require.NoError(t, err)
	refused(keys.ReasonAccessDenied)
	require.NoError(t, frankfurt.PutPolicy(key.ID, keys.Allow("portal")))
	require.NoError(t, frankfurt.Disable(key.ID))
	refused(keys.ReasonDisabled)
	require.NoError(t, frankfurt.Enable(key.ID))
	_, err = frankfurt.ScheduleDeletion(key.ID, 0)
	require.NoError(t, err)
	refused(keys.ReasonInvalidState)
	require.NoError(t, frankfurt.CancelDeletion(key.ID))
	require.NoError(t, frankfurt.Enable(key.ID))
	before, err := frankfurt.Describe(key.ID)
	require.NoError(t, err)
	_, err = c.AddRegion(t.Context(), administrator, center.Region{Name: "eu-central-1"})
	require.NoError(t, err)
	after, err := frankfurt.Describe(key.ID)
	require.NoError(t, err)
	assert.Equal(t, before.Used, after.Used, "the question counts nothing")
}

// Rules 6 and 7: applications that don't work with a customer-managed key prevent the key, and so an additional Region.
// In an additional Region an application must work there too. Each refusal names the applications.
func TestRule6ApplicationsAreCheckedFirst(t *testing.T) {
	d := admissible("eu-central-1")
	for _, name := range []string{"Wiki", "Old", "Ancient"} {
		d.Applications = append(d.Applications, center.Application{Name: name, URL: "https://app.example",
			Region: "us-east-1"})
	}
	support := map[string]center.AppSupport{
		"Wiki": {CustomerKey: true, MultiRegion: true}, "Single": {CustomerKey: true}, "Plain": {MultiRegion: true},
	}
	c := supporting(t, d, func(a center.Application) center.AppSupport { return support[a.Name] })
	var e *center.Error
	_, err := c.AddRegion(t.Context(), administrator, center.Region{Name: "eu-west-1"})
	require.ErrorAs(t, err, &e)
	assert.Equal(t, center.ReasonApplications, e.Reason)
	assert.Equal(t, "Ancient, Old", e.Got)
	owned := center.Encryption{KeyType: center.KeyCustomerManaged, KeyARN: multiKey}
	require.ErrorAs(t, c.CheckKey(administrator, owned), &e)
	assert.Equal(t, "Ancient, Old", e.Got)
	require.NoError(t, c.CheckKey(administrator, center.Encryption{KeyType: center.KeyOwnedByAWS}))
	for _, tt := range []struct {
		app, region string
		want        center.Reason
	}{
		{"Wiki", "us-east-1", ""}, {"Wiki", "eu-central-1", ""}, {"Single", "us-east-1", ""},
		{"Single", "eu-central-1", center.ReasonApplications}, {"Plain", "eu-central-1", center.ReasonApplications},
		{"Plain", "us-east-1", center.ReasonApplications},
	} {
		err := c.View.Snapshot().Deployable(center.Application{Name: tt.app, Region: tt.region})
		assert.Equal(t, tt.want, reasonOf(t, err), "%+v", tt)
	}
}

// Rules 6 and 7: no update gets around the conditions for applications and for the key, in either Region, also if the
// program ignores the refusal. An application that is there, and works no longer, still loses users and can be removed.
func TestRule7ApplicationsArePutUnderConditions(t *testing.T) {
	works := map[string]center.AppSupport{
		"Wiki": {CustomerKey: true, MultiRegion: true}, "Single": {CustomerKey: true}, "Plain": {MultiRegion: true},
	}
	d := admissible("eu-central-1")
	d.Instance.Encryption = center.Encryption{}
	d.Users = []center.User{{UserName: "alice"}}
	inst, err := center.Open(center.Config{Data: d, Support: func(a center.Application) center.AppSupport {
		return works[a.Name]
	}})
	require.NoError(t, err)
	update := func(region string, change func(*center.Tx) error) center.Reason {
		t.Helper()
		v, err := inst.In(region)
		require.NoError(t, err)
		return reasonOf(t, v.Update(func(tx *center.Tx) error {
			_ = change(tx)
			return nil
		}))
	}
	app := func(name, region string, to ...center.Principal) func(*center.Tx) error {
		return func(tx *center.Tx) error {
			return tx.PutApplication(center.Application{ID: name + region, Name: name, URL: "https://app.example",
				Region: region, AssignedTo: to})
		}
	}
	for _, tt := range []struct {
		name, region string
		want         center.Reason
	}{
		{"Wiki", "us-east-1", ""}, {"Wiki", "eu-central-1", ""}, {"Single", "us-east-1", ""}, {"Plain", "us-east-1", ""},
		{"Single", "eu-central-1", center.ReasonApplications}, {"Plain", "eu-central-1", center.ReasonApplications},
	} {
		assert.Equal(t, tt.want, update(tt.region, app(tt.name, tt.region)), "%+v", tt)
		_, put := inst.Snapshot().Application(tt.name + tt.region)
		assert.Equal(t, tt.want == "", put, "%+v", tt)
	}
	useKey := func(tx *center.Tx) error {
		return tx.PutInstanceMetadata(center.InstanceMetadata{Encryption: center.Encryption{
			KeyType: center.KeyCustomerManaged, KeyARN: multiKey}})
	}
	require.Equal(t, center.ReasonApplications, update("us-east-1", useKey))
	require.NotEqual(t, center.KeyCustomerManaged, inst.Snapshot().Metadata().Encryption.KeyType)
	require.Empty(t, update("us-east-1", func(tx *center.Tx) error { return tx.RemoveApplication("Plainus-east-1") }))
	require.Empty(t, update("us-east-1", useKey))
	assert.Equal(t, center.ReasonApplications, update("us-east-1", app("Plain", "us-east-1")))

	works["Wiki"] = center.AppSupport{}
	assert.Empty(t, update("us-east-1", app("Wiki", "us-east-1", center.UserPrincipal("alice"))))
	assert.Empty(t, update("us-east-1", app("Wiki", "us-east-1")))
	assert.Equal(t, center.ReasonApplications, update("us-east-1", func(tx *center.Tx) error {
		return tx.PutApplication(center.Application{ID: "Wikius-east-1", Name: "Wiki", URL: "https://moved.example",
			Region: "us-east-1"})
	}))
	assert.Empty(t, update("us-east-1", func(tx *center.Tx) error { return tx.RemoveApplication("Wikius-east-1") }))
}

// Rules 8 and 74: only an administrator of the owning account, or of its delegate, may add and remove Regions, with a
// request in the primary. The key is the owner's alone. A caller with any of it missing is refused, and changes
// nothing.
func TestRule8CallersOfTheControlPlane(t *testing.T) {
	c := controlOf(t, admissible("eu-central-1"))
	frankfurt := &center.Control{View: view(t, admissible("eu-central-1"), "eu-central-1"), Admission: c.Admission}
	by := func(account string) center.Caller {
		return center.Caller{Account: account, Region: "us-east-1", Administrator: true}
	}
	local := administrator
	local.Region = "eu-central-1"
	for name, tt := range map[string]struct {
		control *center.Control
		who     center.Caller
		want    center.Reason
		key     center.Reason
	}{
		"the owner":     {c, administrator, "", ""},
		"the delegate":  {c, by(delegate), "", center.ReasonCaller},
		"another":       {c, by("777777777777"), center.ReasonCaller, center.ReasonCaller},
		"no account":    {c, by(""), center.ReasonCaller, center.ReasonCaller},
		"no role":       {c, center.Caller{Account: owner, Region: "us-east-1"}, center.ReasonCaller, center.ReasonCaller},
		"elsewhere":     {c, local, center.ReasonCaller, center.ReasonCaller},
		"nothing":       {c, center.Caller{}, center.ReasonCaller, center.ReasonCaller},
		"in Frankfurt":  {frankfurt, local, center.ReasonNotPrimary, center.ReasonNotPrimary},
		"sent on there": {frankfurt, administrator, center.ReasonCaller, center.ReasonCaller},
	} {
		assert.Equal(t, tt.want, reasonOf(t, tt.control.Check(tt.who)), name)
		assert.Equal(t, tt.key, reasonOf(t, tt.control.CheckKey(tt.who, center.Encryption{})), name)
		if tt.want == "" {
			continue
		}
		before := tt.control.View.Snapshot()
		_, err := tt.control.AddRegion(t.Context(), tt.who, center.Region{Name: "us-east-2"})
		assert.Equal(t, tt.want, reasonOf(t, err), name)
		_, err = tt.control.RemoveRegion(tt.who, "eu-central-1")
		assert.Equal(t, tt.want, reasonOf(t, err), name)
		assert.Same(t, before, tt.control.View.Snapshot(), name)
	}
	assert.Equal(t, "AccessDeniedException", center.ReasonCaller.Exception())
	unowned := admissible()
	unowned.Instance.OwnerAccountID = ""
	for _, account := range []string{"", owner, delegate} {
		who := center.Caller{Account: account, Region: "us-east-1", Administrator: true}
		assert.Equal(t, center.ReasonCaller, reasonOf(t, controlOf(t, unowned).Check(who)), "an owner that isn't known")
	}
}

// Rules 19, 76 and 78: one Region at a time is added or removed, up to the quota, and never the primary. The statuses
// have the console's words.
func TestRule78RegionsAreRemovedOneAtATime(t *testing.T) {
	d := admissible()
	for _, p := range center.Places() {
		if p.Name != "us-east-1" && p.Name != "us-west-2" && p.Name != "us-west-1" {
			d.Regions = append(d.Regions, center.Region{Name: p.Name})
		}
	}
	c := controlOf(t, d)
	add := func(name string) center.Reason {
		_, err := c.AddRegion(t.Context(), administrator, center.Region{Name: name})
		return reasonOf(t, err)
	}
	remove := func(name string) center.Reason {
		_, said := c.View.Snapshot().Removal(name)
		_, err := c.RemoveRegion(administrator, name)
		assert.Equal(t, said, err, "Removal says it before")
		return reasonOf(t, err)
	}
	end := func(name string) error {
		return c.View.Update(func(tx *center.Tx) error { return tx.EndRemoval(name) })
	}
	assert.Equal(t, center.ReasonPrimaryFixed, remove("us-east-1"))
	assert.Equal(t, center.ReasonNotFound, remove("us-west-2"))
	assert.Equal(t, "ResourceNotFoundException", center.ReasonNotFound.Exception())
	assert.Equal(t, center.ReasonConflict, add("eu-central-1"), "it is there")
	require.Empty(t, add("us-west-2"))
	assert.Equal(t, center.ReasonConflict, add("us-west-1"), "another is being added")
	assert.Equal(t, center.ReasonConflict, remove("eu-central-1"), "another is being added")
	assert.Equal(t, "ConflictException", center.ReasonConflict.Exception())
	r, _, err := c.View.DescribeRegion("us-west-2")
	require.NoError(t, err)
	assert.Equal(t, "Replicating", r.Status.ConsoleStatus())
	requireReason(t, center.ReasonConflict, end("us-west-2"))
	require.NoError(t, c.View.Update(func(tx *center.Tx) error { return tx.ActivateRegion("us-west-2") }))
	r, primary, err := c.View.DescribeRegion("us-west-2")
	require.NoError(t, err)
	assert.Equal(t, "Replicated", r.Status.ConsoleStatus())
	assert.False(t, primary)
	c.MaxRegions = 16
	assert.Equal(t, center.ReasonQuota, add("us-west-1"))
	assert.Equal(t, "ServiceQuotaExceededException", center.ReasonQuota.Exception())
	c.MaxRegions = 0
	require.Empty(t, add("us-west-1"))
	require.Empty(t, remove("us-west-1"), "the one that is being added")
	assert.Equal(t, center.ReasonConflict, remove("us-west-1"), "it is being removed")
	assert.Equal(t, center.ReasonConflict, add("us-west-1"), "it is being removed")
	r, _, err = c.View.DescribeRegion("us-west-1")
	require.NoError(t, err)
	assert.Equal(t, "Removing", r.Status.ConsoleStatus())
	require.NoError(t, end("us-west-1"))
	_, _, err = c.View.DescribeRegion("us-west-1")
	requireReason(t, center.ReasonNotFound, err)
	require.Empty(t, add("us-west-1"))
}

// Rule 24: the adviser ranks what can be added first, then where data may stay, then what applications work there, then
// the distance.
func TestRule24Adviser(t *testing.T) {
	c := supporting(t, admissible(), func(a center.Application) center.AppSupport {
		return center.AppSupport{CustomerKey: true, MultiRegion: a.Region != "eu-central-1"}
	})
	c.Key = func(_ context.Context, _, region string) error {
		if region == "eu-west-2" {
			return errors.New("no copy")
		}
		return nil
	}
	all := c.Advise(t.Context(), c.View.Snapshot(), center.Wish{Near: "eu-central-1", In: []string{"EU"},
		Applications: []center.Application{{Name: "Render"}}})
	require.Len(t, all, 17)
	var order []string
	for _, a := range all {
		order = append(order, a.Place.Name)
	}
	assert.Equal(t, []string{"eu-west-3", "eu-west-1", "eu-north-1", "eu-central-1"}, order[:4])
	assert.Equal(t, "doesn't support Render", all[3].Text())
	at := func(name string) center.Advice { return all[slices.Index(order, name)] }
	assert.Equal(t, "can't be added now; outside the area where data must stay", at("eu-west-2").Text())
	assert.InDelta(t, 640, at("eu-west-2").Kilometres, 30)
	assert.Less(t, slices.Index(order, "us-east-2"), slices.Index(order, "us-east-1"), "the primary can't be added")
	nearest := c.Advise(t.Context(), c.View.Snapshot(), center.Wish{})
	assert.Equal(t, "us-east-2", nearest[0].Place.Name)
	assert.Equal(t, "suitable", nearest[0].Text())
}
