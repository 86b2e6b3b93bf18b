// FFmpeg's libraries, which vc_media_load loads: only readers need them, and programs that ask for their version.
#pragma once

#include "CLazyLibrary.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/cpu.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

/// The display matrix is a stream's side data, in FFmpeg 6.1 and later of its codec's parameters.
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
#define VC_FFMPEG_SIDE_DATA(FUNCTION) FUNCTION(av_packet_side_data_get)
#else
#define VC_FFMPEG_SIDE_DATA(FUNCTION) FUNCTION(av_stream_get_side_data)
#endif

/// The functions that are called, as ff.av_read_frame(...).
#define VC_FFMPEG(FUNCTION)                                                                                                             \
    FUNCTION(av_cpu_count)                                                                                                              \
    FUNCTION(av_demuxer_iterate)                                                                                                        \
    FUNCTION(av_dict_get)                                                                                                               \
    FUNCTION(av_find_best_stream)                                                                                                       \
    FUNCTION(av_find_input_format)                                                                                                      \
    FUNCTION(av_frame_alloc)                                                                                                            \
    FUNCTION(av_frame_free)                                                                                                             \
    FUNCTION(av_frame_get_side_data)                                                                                                    \
    FUNCTION(av_frame_ref)                                                                                                              \
    FUNCTION(av_frame_unref)                                                                                                            \
    FUNCTION(av_freep)                                                                                                                  \
    FUNCTION(av_get_cpu_flags)                                                                                                          \
    FUNCTION(av_guess_sample_aspect_ratio)                                                                                              \
    FUNCTION(av_log_set_callback)                                                                                                       \
    FUNCTION(av_malloc)                                                                                                                 \
    FUNCTION(av_new_packet)                                                                                                             \
    FUNCTION(av_opt_set_int)                                                                                                            \
    FUNCTION(av_packet_alloc)                                                                                                           \
    FUNCTION(av_packet_free)                                                                                                            \
    FUNCTION(av_packet_unref)                                                                                                           \
    FUNCTION(av_pix_fmt_desc_get)                                                                                                       \
    FUNCTION(av_probe_input_buffer2)                                                                                                    \
    FUNCTION(av_read_frame)                                                                                                             \
    FUNCTION(av_rescale)                                                                                                                \
    FUNCTION(av_rescale_q)                                                                                                              \
    FUNCTION(av_seek_frame)                                                                                                             \
    FUNCTION(av_strdup)                                                                                                                 \
    FUNCTION(av_stream_get_parser)                                                                                                      \
    FUNCTION(av_strerror)                                                                                                               \
    FUNCTION(avcodec_alloc_context3)                                                                                                    \
    FUNCTION(avcodec_find_decoder)                                                                                                      \
    FUNCTION(avcodec_flush_buffers)                                                                                                     \
    FUNCTION(avcodec_free_context)                                                                                                      \
    FUNCTION(avcodec_get_name)                                                                                                          \
    FUNCTION(avcodec_open2)                                                                                                             \
    FUNCTION(avcodec_parameters_to_context)                                                                                             \
    FUNCTION(avcodec_receive_frame)                                                                                                     \
    FUNCTION(avcodec_send_packet)                                                                                                       \
    FUNCTION(avcodec_version)                                                                                                           \
    FUNCTION(avformat_alloc_context)                                                                                                    \
    FUNCTION(avformat_close_input)                                                                                                      \
    FUNCTION(avformat_find_stream_info)                                                                                                 \
    FUNCTION(avformat_index_get_entries_count)                                                                                          \
    FUNCTION(avformat_open_input)                                                                                                       \
    FUNCTION(avformat_seek_file)                                                                                                        \
    FUNCTION(avio_alloc_context)                                                                                                        \
    FUNCTION(avio_context_free)                                                                                                         \
    FUNCTION(avio_seek)                                                                                                                 \
    FUNCTION(swr_alloc_set_opts2)                                                                                                       \
    FUNCTION(swr_convert)                                                                                                               \
    FUNCTION(swr_free)                                                                                                                  \
    FUNCTION(swr_get_out_samples)                                                                                                       \
    FUNCTION(swr_init)                                                                                                                  \
    FUNCTION(sws_alloc_context)                                                                                                         \
    FUNCTION(sws_freeContext)                                                                                                           \
    FUNCTION(sws_getCoefficients)                                                                                                       \
    FUNCTION(sws_getColorspaceDetails)                                                                                                  \
    FUNCTION(sws_init_context)                                                                                                          \
    FUNCTION(sws_scale)                                                                                                                 \
    FUNCTION(sws_setColorspaceDetails)                                                                                                  \
    VC_FFMPEG_SIDE_DATA(FUNCTION)

struct vc_ffmpeg {
    VC_FFMPEG(VC_LAZY_MEMBER)
};

extern struct vc_ffmpeg vc_ffmpeg __attribute__((visibility("hidden")));
#define ff vc_ffmpeg
