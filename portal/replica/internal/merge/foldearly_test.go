package merge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A Region hears a late transaction of the primary before an earlier one, by
// which a user was removed, and then assigns an application to that user. It
// didn't know of the removal, so the assignment is void, also if the user comes
// back.
func TestWhatIsHeardEarlyIsNotAllThatIsBeforeIt(t *testing.T) {
	at := newRegion(virginia)
	update := func(kind center.Kind, id, value string) arrival {
		c := center.Record{Kind: kind, Key: id}
		if value != "" {
			c.Value = []byte(value)
		}
		tx := at.dir.Compose(virginia, 0, at.dir.Draft(virginia, []center.Record{c}), false)
		at.know(arrival{region: virginia, tx: &tx})
		return arrival{region: virginia, tx: &tx}
	}
	all := []arrival{
		update(center.KindRegion, frankfurt, `{"name":"eu-central-1"}`), update(center.KindUser, "u-1",
			`{"id":"u-1","userName":"n"}`),
		update(center.KindUser, "u-1", ""), update(center.KindUser, "u-2", `{"id":"u-2","userName":"o"}`),
	}
	r := newRegion(frankfurt).know(all[:2]...)
	r.dir.Changes(r.dir.FoldEarly(virginia, *all[3].tx))
	assert.Contains(t, r.state()["shown user u-2"], "u-2", "it takes effect")
	app := center.Record{Kind: center.KindApplication, Key: "a",
		Value: []byte(`{"id":"a","name":"a","url":"https://a.example","region":"eu-central-1","assignedTo":[{"type":"user","id":"u-1"}]}`)}
	tx := r.dir.Compose(frankfurt, 0, r.dir.Draft(frankfurt, []center.Record{app}), false)
	r.know(arrival{region: frankfurt, tx: &tx}).know(all...)
	r.know(update(center.KindUser, "u-1", `{"id":"u-1","userName":"n"}`))
	assert.NotEmpty(t, r.state()["shown application a"])
	assert.NotContains(t, r.state()["shown application a"], "u-1")
}

// A Region hears a whole state of the primary before it reads the removal of a user
// that stands before it in the log. Once it has read that removal, an assignment
// that it makes is made with knowledge of it, and is not void.
func TestARemovalReadAfterALaterWholeStateIsKnown(t *testing.T) {
	value := func(id string) []byte { return []byte(`{"id":"` + id + `","userName":"n"}`) }
	list := primary(1, true, []merge.Record{listed(frankfurt, 1)})
	gone := primary(2, false, []merge.Record{{Kind: merge.KindGone, Key: "user u-1", Value: []byte("2")}})
	whole := primary(3, true, []merge.Record{
		{Kind: center.KindRegion, Key: frankfurt, Value: listed(frankfurt, 1).Value, Stamp: 1},
		{Kind: center.KindUser, Key: "u-1", Value: value("u-1")},
		{Kind: merge.KindGone, Key: "user u-1", Value: []byte("2"), Stamp: 2},
	})
	app := center.Record{Kind: center.KindApplication, Key: "a",
		Value: []byte(`{"id":"a","name":"a","url":"https://a.example","region":"eu-central-1","assignedTo":[{"type":"user","id":"u-1"}]}`)}

	r := newRegion(frankfurt).know(list)
	r.dir.Changes(r.dir.FoldEarly(virginia, *whole.tx))
	assert.True(t, r.dir.Ahead(frankfurt, []center.Record{app}), "the removal is not read yet")
	r.know(gone)
	assert.False(t, r.dir.Ahead(frankfurt, []center.Record{app}))
	tx := r.dir.Compose(frankfurt, 0, r.dir.Draft(frankfurt, []center.Record{app}), false)
	r.know(arrival{region: frankfurt, tx: &tx}, whole)
	assert.Contains(t, r.state()["shown application a"], "u-1")
}
