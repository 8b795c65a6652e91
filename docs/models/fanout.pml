/* One message for two destinations. It is accepted whole or not at all; each entry has one end; the
 * sender is told exactly once of an entry that expired; the number of an entry that expired is
 * closed by SKIP, so that its receiver's cursor can pass it. The switch crashes at any moment.
 *
 * Not modelled: several messages (delivery.pml), where numbers are given (numbering.pml), marks
 * (reservation.pml). An entry that expired may have been delivered: its acknowledgement was lost.
 *
 * spin -a fanout.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 * Known-bad, each found: MUT_HALF the entries are two batches, MUT_TWICE the end is recorded after
 * the sender was told, MUT_SILENT nobody is told, MUT_NOSKIP the hole stays, MUT_AGAIN an end is
 * recorded over another.
 */
#define WAITS 0
#define DELIVERED 1
#define EXPIRED 2
#ifdef MUT_NOSKIP
#define OVER(e) (!held[e] || end[e] != WAITS)
#else
#define OVER(e) (!held[e] || end[e] == DELIVERED || (end[e] == EXPIRED && closed[e]))
#endif
bit held[2];            /* durable: the entry is in the journal */
byte end[2];            /* durable: what became of it */
bit closed[2];          /* its number was passed by SKIP */
bit acked;              /* the sender knows that the switch has it */
byte told[2], got[2], ends[2];
byte crashes;

active proctype Switch() {
  byte e;
  do
  :: !held[0] && !held[1] ->
#ifdef MUT_HALF
     held[0] = 1;
     if :: crashes < 2 -> crashes++ :: else -> held[1] = 1 fi
#else
     atomic { held[0] = 1; held[1] = 1 }
#endif
  :: held[0] && !acked -> acked = 1
  :: acked ->
     if :: e = 0 :: e = 1 fi;
     if
     :: end[e] == WAITS && held[e] && got[e] == 0 ->
        got[e]++;
        if
        :: atomic { end[e] = DELIVERED; ends[e]++ }
        :: skip                                   /* the acknowledgement is lost */
        fi
     :: end[e] == WAITS && held[e] ->             /* its time passes */
#ifdef MUT_TWICE
        told[e]++;
        if :: crashes < 2 -> crashes++ :: else -> atomic { end[e] = EXPIRED; ends[e]++ } fi
#else
        atomic { end[e] = EXPIRED; ends[e]++;
#ifndef MUT_SILENT
          told[e]++                               /* the notice is in the same batch */
#endif
        }
#endif
#ifdef MUT_AGAIN
     :: end[e] == DELIVERED && crashes < 1 -> crashes++; end[e] = EXPIRED; ends[e]++; told[e]++
#endif
#ifndef MUT_NOSKIP
     :: end[e] == EXPIRED && !closed[e] -> closed[e] = 1
#endif
     :: else -> skip
     fi
  :: crashes < 2 -> crashes++                     /* nothing volatile counts here */
  :: acked && OVER(0) && OVER(1) -> break
  od;
  for (e : 0 .. 1) {
    assert(held[e]);
    assert(ends[e] == 1);
    assert(told[e] == (end[e] == EXPIRED));
    assert(end[e] != EXPIRED || closed[e]);
  }
}
