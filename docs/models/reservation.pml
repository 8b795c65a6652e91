/* Marks of possible duplicates without a record for each sending. A number is sent only when a record
 * that says "numbers up to k may have been sent" is durable. After a crash exactly the numbers up to
 * k that are not known as delivered are marked: no repeat is unmarked, and at most AHEAD marks are
 * false. An update (the last number) must not be carried out twice: when it may have been sent, it
 * is not sent again, and its sender is told that it is in doubt.
 *
 * spin -a reservation.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 * Known-bad, each found: MUT_AHEAD_OF_RECORD sends before the record is durable, MUT_NOMARK marks
 * nothing after a crash, MUT_MARK_ALL marks everything that waits, MUT_RESEND repeats the update,
 * MUT_QUIET does not tell of the doubt.
 */
#define N 5
#define UPDATE 4                 /* numbers are 0 .. N-1 */
#define AHEAD 2
#ifdef MUT_AHEAD_OF_RECORD
#define MAY_GO (next < N)
#else
#define MAY_GO (next < N && next < reserved)
#endif
#ifdef MUT_RESEND
#define IN_DOUBT (false)
#else
#define IN_DOUBT (next == UPDATE && marks[UPDATE])
#endif
byte reserved;                   /* durable: numbers below may have been sent */
byte asked;                      /* volatile: the record under way */
byte next;                       /* volatile: the next to send */
byte delivered;                  /* durable: numbers below are delivered */
bit marks[N];                    /* what recovery says of those that wait */
byte sent[N];                    /* ghost: how often it was on the wire */
bit doubt, told;
byte crashes, lost;

inline recover() {
  byte i, false_marks = 0;
  next = delivered; asked = reserved; i = 0;
  do
  :: i < N ->
#ifdef MUT_NOMARK
     skip;
#else
#ifdef MUT_MARK_ALL
     if :: i >= delivered -> marks[i] = 1 :: else -> skip fi;
#else
     if :: i >= delivered && i < reserved -> marks[i] = 1 :: else -> skip fi;
#endif
#endif
     if :: marks[i] && i >= delivered && sent[i] == 0 -> false_marks++ :: else -> skip fi;
     i++
  :: else -> break
  od;
  assert(false_marks <= AHEAD);
  i = 0
}

active proctype Switch() {
  do
  :: atomic { asked == reserved && reserved < N && next + AHEAD > reserved -> asked = (next + AHEAD < N -> next + AHEAD : N) }
  :: atomic { asked > reserved -> reserved = asked }               /* the fsync */
  :: atomic { IN_DOUBT -> doubt = 1; next++; delivered = N;
#ifndef MUT_QUIET
       told = 1
#endif
     }
  :: atomic { MAY_GO && !IN_DOUBT -> assert(sent[next] == 0 || marks[next]);
       sent[next]++; next++ }
  :: atomic { delivered < next -> delivered++ }                     /* acknowledged, recorded */
  :: atomic { crashes < 2 -> crashes++; recover() }
  :: atomic { lost < 1 && next > delivered ->                       /* the connection is lost */
       lost++;
       byte j = delivered;
       do :: j < next -> marks[j] = 1; j++ :: else -> break od;
       next = delivered; j = 0 }
  :: delivered == N -> break
  od;
  assert(sent[UPDATE] <= 1);
  assert(doubt == told)
}
