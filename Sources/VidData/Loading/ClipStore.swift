import Synchronization
import VidSystem

/// Clips that a data check has decoded in passing, for the training that follows: its loader takes each once, so that a first training
/// decodes a video once. A few stay after that, for the pictures of the report.
///
/// A clip is kept only if a load by itself would give the same: its file was decoded without any error, and has not changed since.
package final class ClipStore: Sendable {
    private let state: Mutex<State>

    private struct Key: Hashable {
        let path: String
        let sampling: String
    }

    private struct Kept {
        let clip: LoadedClip
        let status: FileStatus
        /// Whether it is still kept after it was taken.
        let stays: Bool
    }

    private struct State {
        var clips: [Key: Kept] = [:]
        /// Bytes of pixels that may be kept besides those of `clips`.
        var room: Int
        /// Bytes of pixels of further clips that may stay after they were taken.
        var roomToStay = 256 << 20
        var taken = 0
    }

    /// - Parameter bytes: of pixels to keep at most.
    package init(bytes: Int) { state = Mutex(State(room: bytes)) }

    private init(_ state: State) { self.state = Mutex(state) }

    /// A store of the same clips, without copies of their pixels: what is taken from it stays in this one.
    package var copy: ClipStore { ClipStore(state.withLock { $0 }) }

    /// The clips that were taken so far.
    package var taken: Int { state.withLock { $0.taken } }
    /// The clips that are kept now.
    package var count: Int { state.withLock { $0.clips.count } }

    /// Whether so many bytes of pixels can be kept now.
    func hasRoom(for bytes: Int) -> Bool { bytes <= state.withLock { $0.room } }

    /// Keeps a clip of the file at `path` if there is room.
    ///
    /// - Parameters:
    ///   - sampling: the cache key of its view (`ClipLoader.sampling`).
    ///   - status: the file's status before it was read.
    ///   - mayStay: whether the clip will be taken more than once; it can be while those that stay take less than 256 MiB.
    func keep(_ clip: LoadedClip, of path: String, sampling: String, _ status: FileStatus, mayStay: Bool) {
        let key = Key(path: path, sampling: sampling)
        state.withLock { state in
            guard state.clips[key] == nil, clip.clip.byteCount <= state.room else { return }
            state.room -= clip.clip.byteCount
            let stays = mayStay && clip.clip.byteCount <= state.roomToStay
            if stays { state.roomToStay -= clip.clip.byteCount }
            state.clips[key] = Kept(clip: clip, status: status, stays: stays)
        }
    }

    /// Hands out the clip that a load of the file at `path` would give, and forgets it unless it stays; nil if there is none or the file has
    /// changed.
    ///
    /// - Parameter sampling: is evaluated only if there are any clips, because it may read the head of the file.
    func take(_ path: String, sampling: @autoclosure () -> String) -> LoadedClip? {
        guard count > 0 else { return nil }
        let key = Key(path: path, sampling: sampling())
        let found = state.withLock { state in
            guard let found = state.clips[key] else { return nil as Kept? }
            if !found.stays {
                state.clips[key] = nil
                state.room += found.clip.clip.byteCount
            }
            return found
        }
        guard let found, (try? FileStatus(ofClip: ClipPath.file(path))) == found.status else { return nil }
        state.withLock { $0.taken += 1 }
        return found.clip
    }

    /// Forgets the clips of these files, except for those that stay.
    package func remove(_ paths: some Sequence<String>) {
        let paths = Set(paths)
        state.withLock { state in
            for (key, kept) in state.clips where !kept.stays && paths.contains(key.path) {
                state.clips[key] = nil
                state.room += kept.clip.clip.byteCount
            }
        }
    }

    /// Forgets clips until those that are left take at most so many bytes.
    package func shrink(to bytes: Int) {
        state.withLock { state in
            var kept = state.clips.values.reduce(0) { $0 + $1.clip.clip.byteCount }
            for (key, some) in state.clips where kept > bytes {
                state.clips[key] = nil
                kept -= some.clip.clip.byteCount
                if some.stays { state.roomToStay += some.clip.clip.byteCount }
            }
            state.room = max(0, bytes - kept)
        }
    }
}

/// The views of clips that a check keeps for the training that follows.
package struct KeptViews: Sendable {
    package let store: ClipStore
    let views: [Split: [ClipView]]
    /// The split of which a report shows some clips.
    let shown: Split

    /// - Parameter views: of the clips of each split, all of them fixed.
    package init(_ views: [Split: [ClipView]], shown: Split, in store: ClipStore) {
        self.store = store
        self.views = views
        self.shown = shown
    }
}
