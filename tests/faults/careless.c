/* Loaded before the C library: a build of the switch with one fault, chosen when it is compiled. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#if defined(NO_SYNC) /* says that all is synced */
int fdatasync(int file) { return (void)file, 0; }
int fsync(int file) { return (void)file, 0; }
int sync_file_range(int file, off_t from, off_t bytes, unsigned flags)
{
    return (void)file, (void)from, (void)bytes, (void)flags, 0;
}

#elif defined(NO_WRITE) /* says that records are written; they begin behind the header page */
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset)
{
    return offset >= 4096 ? (ssize_t)count : syscall(SYS_pwrite64, file, bytes, count, offset);
}

#elif defined(NO_ERRORS) /* does not look at what a call answers */
int fdatasync(int file) { return syscall(SYS_fdatasync, file), 0; }
int fsync(int file) { return syscall(SYS_fsync, file), 0; }
int fallocate(int file, int mode, off_t offset, off_t count)
{
    return syscall(SYS_fallocate, file, mode, offset, count), 0;
}
int fallocate64(int file, int mode, off_t offset, off_t count)
{
    return fallocate(file, mode, offset, count);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset)
{
    return syscall(SYS_pwrite64, file, bytes, count, offset), (ssize_t)count;
}

#elif defined(SHORT_WRITES) /* no fault: a write may always take less than it was given */
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset)
{
    return syscall(SYS_pwrite64, file, bytes, count > 1 ? count / 2 : count, offset);
}

#else
#error "which fault?"
#endif
