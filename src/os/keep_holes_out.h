// A process that has other people's files open for writing, but must never cut holes into them: QEMU 7.2 opens
// the file that it maps guest RAM from for writing, however private the mapping, and gives a page back to the
// host (as a guest may ask it to, through its balloon) by punching a hole into that file.
#pragma once

namespace domsnap::os {

/// From now on fallocate(2) that would take content away says EOPNOTSUPP, in this process and in what it
/// executes: file systems may say so too, so QEMU knows what to do instead. False if the kernel refused.
/// Async-signal-safe: for in_child.
bool keep_holes_out();

} // namespace domsnap::os
