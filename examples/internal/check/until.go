package check

import (
	"context"
	"time"
)

// tick is how often something is looked at that takes a moment.
const tick = 20 * time.Millisecond

// Until tries until there is no error. When patience is over, or ctx, it gives
// the last one.
func Until(ctx context.Context, patience time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(tick):
		}
	}
}
