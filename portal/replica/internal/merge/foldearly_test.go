package merge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/center"
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
		update(center.KindRegion, frankfurt, `{"name":"eu-central-1"}`), update(center.KindUser, "u-1", `{"id":"u-1","userName":"n"}`),
		update(center.KindUser, "u-1", ""), update(center.KindUser, "u-2", `{"id":"u-2","userName":"o"}`),
	}
	r := newRegion(frankfurt).know(all[:2]...)
	r.dir.Changes(r.dir.FoldEarly(virginia, *all[3].tx))
	assert.Contains(t, r.state()["shown user u-2"], "u-2", "it takes effect")
	app := center.Record{Kind: center.KindApplication, Key: "a", Value: []byte(`{"id":"a","name":"a","url":"https://a.example","region":"eu-central-1","assignedTo":[{"type":"user","id":"u-1"}]}`)}
	tx := r.dir.Compose(frankfurt, 0, r.dir.Draft(frankfurt, []center.Record{app}), false)
	r.know(arrival{region: frankfurt, tx: &tx}).know(all...)
	r.know(update(center.KindUser, "u-1", `{"id":"u-1","userName":"n"}`))
	assert.NotEmpty(t, r.state()["shown application a"])
	assert.NotContains(t, r.state()["shown application a"], "u-1")
}
