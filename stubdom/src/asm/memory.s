// The memory functions that compiled Rust code calls. Bulk work goes eight bytes at a time by string
// instructions, which current CPUs run at full memory speed; the direction flag is always clear here.
// System V calling convention: rdi, rsi, rdx in; rax out.

.macro function name
    .pushsection .text.\name, "ax", @progbits
    .globl \name
    .type \name, @function
\name:
.endm

.macro end name
    .size \name, . - \name
    .popsection
.endm

function memcpy
    mov rax, rdi
    mov rcx, rdx
    shr rcx, 3
    rep movsq
    mov ecx, edx
    and ecx, 7
    rep movsb
    ret
end memcpy

// Backwards only when the destination starts inside the source.
function memmove
    mov rcx, rdi
    sub rcx, rsi
    cmp rcx, rdx
    jae memcpy
    mov rax, rdi
    std
    lea rdi, [rdi + rdx - 1]
    lea rsi, [rsi + rdx - 1]
    mov ecx, edx
    and ecx, 7
    rep movsb
    sub rdi, 7
    sub rsi, 7
    mov rcx, rdx
    shr rcx, 3
    rep movsq
    cld
    ret
end memmove

function memset
    mov r8, rdi
    movzx eax, sil
    movabs rcx, 0x0101010101010101
    imul rax, rcx
    mov rcx, rdx
    shr rcx, 3
    rep stosq
    mov ecx, edx
    and ecx, 7
    rep stosb
    mov rax, r8
    ret
end memset

function memcmp
    xor eax, eax
    mov rcx, rdx
    shr rcx, 3
    jz 2f
1:  mov r8, [rdi]
    mov r9, [rsi]
    cmp r8, r9
    jne 4f
    add rdi, 8
    add rsi, 8
    dec rcx
    jnz 1b
2:  and edx, 7
    jz 5f
3:  movzx eax, byte ptr [rdi]
    movzx ecx, byte ptr [rsi]
    sub eax, ecx
    jnz 5f
    inc rdi
    inc rsi
    dec edx
    jnz 3b
    ret
4:  bswap r8
    bswap r9
    cmp r8, r9
    sbb eax, eax
    or eax, 1
5:  ret
end memcmp

function bcmp
    jmp memcmp
end bcmp

function strlen
    mov rax, rdi
1:  cmp byte ptr [rax], 0
    je 2f
    inc rax
    jmp 1b
2:  sub rax, rdi
    ret
end strlen

// The `alloc` crate comes compiled with unwinding and refers to this. Here panics abort, so nothing ever unwinds.
function _Unwind_Resume
    ud2
end _Unwind_Resume
