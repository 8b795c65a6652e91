/* A line has one session. A second computer logs on with the line's name while the first still has
 * acknowledgements under way: from then on nothing that the first says counts. The first was
 * restored from an old copy and has no custody that lasts, so counting its word would lose what the
 * second never gets.
 *
 * spin -a fencing.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 * Known-bad, each found: MUT_NOFENCE counts acknowledgements of any session, MUT_RESUME takes the
 * newer session's numbers from the older one.
 */
#define N 2
byte current;                    /* 0 none, 1 the older, 2 the newer computer */
byte next, delivered;            /* of the current session; durable cursor */
byte has;                        /* messages below this number are in the newer computer's custody */
chan to1 = [N] of { byte };
chan to2 = [N] of { byte };
chan from1 = [N] of { byte };    /* cumulative: all below this number */
chan from2 = [N] of { byte };

active proctype Older() {
  byte m;
  end: do
  :: to1?m ->
     from1!(m + 1)
  od
}

active proctype Newer() {
  byte m;
  end: do
  :: to2?m -> assert(m <= has);
     if :: m == has -> has++ :: else -> skip fi;
     from2!has
  od
}

active proctype Switch() {
  byte a;
  do
  :: atomic { current == 0 -> current = 1; next = delivered }
  :: atomic { current == 1 ->                                  /* the newer one logs on */
       current = 2;
#ifdef MUT_RESUME
       skip
#else
       delivered = has; next = has                             /* its own resume point counts */
#endif
     }
  :: atomic { current == 1 && next < N && nfull(to1) -> to1!next; next++ }
  :: atomic { current == 2 && next < N && nfull(to2) -> to2!next;
       next++ }
  :: atomic { nempty(from1) -> from1?a;
       if
#ifdef MUT_NOFENCE
       :: a > delivered -> delivered = a; if :: next < a -> next = a :: else -> skip fi
#else
       :: current == 1 && a > delivered -> delivered = a
#endif
       :: else -> skip
       fi }
  :: atomic { nempty(from2) -> from2?a; if :: a > delivered -> delivered = a :: else -> skip fi }
  :: current == 2 && delivered == N -> break
  od;
  assert(has == N)
}
