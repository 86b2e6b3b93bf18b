

/// What the file system says about a file.
package struct FileStatus: Sendable, Equatable {
    package enum Kind: Sendable { case file, folder, other }

    /// A file's identity: the same for all its names.
    package struct Identity: Hashable, Sendable {
        package let device: UInt64
        package let inode: UInt64
    }

    package let kind: Kind
    /// Bytes.
    package let size: Int
    package let identity: Identity
    /// Time of the last change of the content, nanoseconds since 1970.
    package let modified: Int64
    /// Time of the last change of the content or of anything else about the file, nanoseconds since 1970. Only the system sets it.
    package let changed: Int64

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

    /// The time of the clock that files are stamped by, nanoseconds since 1970.
    package static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return nanoseconds(time)
    }

    /// Seconds between the last change of the content and now; also where that lies in the future, as after a clock was wrong.
    package var secondsFromModified: Double { abs(Double(FileStatus.now) - Double(modified)) / 1e9 }

    /// File systems hold years that nanoseconds do not reach (2262): those become the last one that they do.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (whole, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(Int64(time.tv_nsec))
        return overflow || carry ? (time.tv_sec < 0 ? .min : .max) : sum
    }
}
