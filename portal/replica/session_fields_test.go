package replica_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A session is merged, kept and sent with every field that a portal gives it,
// and is written as the portal's own type is.
func TestSessionsKeepEveryField(t *testing.T) {
	var s portal.Session
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Interface().(type) {
		case string:
			f.SetString("value of " + v.Type().Field(i).Name)
		case time.Time:
			f.Set(reflect.ValueOf(base.Add(time.Duration(i) * time.Minute)))
		case portal.Epoch:
			f.Set(reflect.ValueOf(portal.Epoch{virginia: uint64(i)}))
		default:
			require.Fail(t, "a field of a type that this test doesn't know", v.Type().Field(i).Name)
		}
	}
	assert.Equal(t, s, replica.Mirrored(s))
	own, sent := replica.AsJSON(t, s)
	assert.Equal(t, own, sent)
}
