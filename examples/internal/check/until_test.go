package check_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/examples/internal/check"
)

func TestUntil(t *testing.T) {
	tries := 0
	third := func() error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	}
	assert.NoError(t, check.Until(t.Context(), time.Minute, third))
	assert.Equal(t, 3, tries)

	never := func() error { return errors.New("never") }
	assert.EqualError(t, check.Until(t.Context(), time.Millisecond, never), "never")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	assert.EqualError(t, check.Until(over, time.Hour, never), "never")
}
