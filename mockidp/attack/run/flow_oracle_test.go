package run

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAnswersThatDifferInAReferenceAloneAreTheSame(t *testing.T) {
	with := common("403 Not signed in. Reference: KQ7F-2M", "403 Not signed in. Reference: ABCD-EF")
	assert.Equal(t, with, common("403 Not signed in. Reference: GHJK-LM", "403 Not signed in. Reference: ABCD-EF"), "a reference without a digit")
	assert.Equal(t, with, common("403 Not signed in. Reference: KQ7F-2M", "403 Not signed in. Reference: KQ7F-2M"), "the same time twice")
	assert.NotEqual(t, with, common("403 Bad padding. Reference: KQ7F-2M", "403 Bad padding. Reference: ABCD-EF"))
	assert.NotEqual(t, with, common("500 Not signed in. Reference: KQ7F-2M", "500 Not signed in. Reference: ABCD-EF"))
}
