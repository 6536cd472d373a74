package merge_test

import "time"

// The rates of a world say how often each kind of event happens there. They change
// whenever all is quiet, so that events that need much trouble, little trouble or time
// are all seen.
type rates struct {
	crash   float64       // of 1 % of a node's steps
	up      float64       // of 15 % of the steps of a node that is down
	damage  float64       // of 2 % of a node's steps
	compact float64       // of a node's updates
	regions float64       // of the primary's updates
	users   int           // how many
	life    time.Duration // of sessions, at most
	pace    time.Duration // between two steps, at most
}

func (w *world) changeRates() {
	w.now = w.now.Add(time.Duration(w.pick(0, 0, 0, 0, 6, 6, 25) * float64(time.Minute))) // a night
	for _, r := range w.all {
		if !w.noDamage && r.removalNotice == 0 && w.one(0.3) {
			w.backup(r)
		}
	}
	w.rates = rates{
		crash: w.pick(0, 0.2, 1), up: w.pick(0.05, 1, 1, 1), damage: w.pick(0, 0.4, 0.8, 1.2), compact: w.pick(0.1, 0.4),
		regions: w.pick(0, 0.4, 0.8), users: int(w.pick(1, 3)), life: time.Duration(w.pick(0.1, 0.3, 1) * float64(simLife)),
		pace: time.Duration(w.pick(0.3, 1, 2) * float64(time.Second)),
	}
}

func (w *world) pick(of ...float64) float64 { return of[w.rand.IntN(len(of))] }
