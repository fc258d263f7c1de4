// Where Xen enters later: exceptions and upcalls. Source: xen/arch-x86/xen-x86_64.h.

    .pushsection .text.entry, "ax", @progbits
// An event arrived. Xen delivers it only at the return from the blocking hypercall, because that call alone
// clears the upcall mask, and whoever made it (`block` in hypercall.rs) sets it again. Xen sets it, too, as it pushes
//     rcx, r11, rip, cs, rflags, rsp, ss
// on the stack that blocked. So work goes on there, with the mask left set: what blocked holds nothing in rcx and r11,
// and then looks at the pending bits. No iret hypercall, no interrupted Rust.
    .globl event_upcall
event_upcall:
    mov rcx, [rsp + 16]
    mov rsp, [rsp + 40]
    jmp rcx

// An exception: Xen pushed the same frame, for some vectors with an error code before rip. rcx and r11 hold
// nothing of the interrupted code any more. Nothing ever returns from here.
.macro exception vector, has_error
    .balign 16
    .if \has_error == 0
    pop rcx
    pop r11
    push 0
    push r11
    push rcx
    .endif
    push \vector
    jmp exception_common
.endm

    .balign 16
    .globl exception_entries
exception_entries:
    .irp vector, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    exception \vector, (({WITH_ERROR_CODE} >> \vector) & 1)
    .endr

exception_common:
    push rax
    push rbx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r12
    push r13
    push r14
    push r15
    mov rdi, rsp
    and rsp, -16
    cld
    call {exception}
    ud2
    .popsection
