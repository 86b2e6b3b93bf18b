/// The status of a file.
package struct FileStatus: Sendable, Equatable {
    package enum Kind: Sendable { case file, folder, other }

    /// A file's identity: the same for all its names.
    package struct Identity: Hashable, Sendable {
        package let device: UInt64
        package let inode: UInt64

        package init(device: UInt64, inode: UInt64) { (self.device, self.inode) = (device, inode) }
    }

    package let kind: Kind
    /// Bytes.
    package let size: Int
    package let identity: Identity
    /// Time of the last change of the content, nanoseconds since 1970.
    package let modified: Int64
    /// Time of the last change of the content or the status, nanoseconds since 1970. Only the system sets it.
    package let changed: Int64

    package init(kind: Kind, size: Int, identity: Identity, modified: Int64, changed: Int64) {
        (self.kind, self.size, self.identity, self.modified, self.changed) = (kind, size, identity, modified, changed)
    }

    package init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        size = Int(raw.st_size)
        identity = Identity(device: UInt64(raw.st_dev), inode: UInt64(raw.st_ino))
        (modified, changed) = (FileStatus.nanoseconds(raw.st_mtim), FileStatus.nanoseconds(raw.st_ctim))
    }

    /// The current time of the clock that file times come from, nanoseconds since 1970.
    package static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return nanoseconds(time)
    }

    /// Seconds between the last change of the content and now, also for a change in the future (after the clock was wrong).
    package var secondsFromModified: Double { abs(Double(FileStatus.now) - Double(modified)) / 1e9 }

    /// Clamps years that file systems can store but nanoseconds cannot (after 2262).
    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (whole, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(Int64(time.tv_nsec))
        return overflow || carry ? (time.tv_sec < 0 ? .min : .max) : sum
    }
}

/// The space of a file system.
package struct FileSystemRoom: Sendable {
    /// Bytes that this user can still write.
    package let free: Int
    /// Bytes in all.
    package let size: Int

    package init(free: Int, size: Int) {
        self.free = free
        self.size = size
    }

    /// The space of the file system that contains `path`; nil if it is unknown.
    package init?(at path: String) {
        var raw = statvfs()
        guard statvfs(path, &raw) == 0, raw.f_blocks > 0 else { return nil }
        free = FileSystemRoom.bytes(UInt64(raw.f_bavail), UInt64(raw.f_frsize))
        size = FileSystemRoom.bytes(UInt64(raw.f_blocks), UInt64(raw.f_frsize))
    }

    /// Clamped, since a network file system may report any number.
    private static func bytes(_ blocks: UInt64, _ blockSize: UInt64) -> Int {
        let (product, overflow) = blocks.multipliedReportingOverflow(by: blockSize)
        return overflow ? .max : Int(clamping: product)
    }
}
